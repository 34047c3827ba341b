import { createHmac, randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { paymentJobs } from '../../src/payments/jobs.ts'
import { anOrder, pay, payWithoutWebhooks } from '../support/builders/orders.ts'
import { SECRETS, startLms, type Lms, runJob } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  grantCount,
  isIn,
  statusOf,
} from '../support/order-checks.ts'
import { postEvent } from '../support/webhooks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const sign = (body: string, secret = SECRETS.webhook) =>
  createHmac('sha256', secret).update(body).digest('hex')

type Sent = { body: string; eventId?: string; headers?: Record<string, string>; method?: string }

function send({ body, eventId, headers = {}, method = 'POST' }: Sent): Promise<Response> {
  return fetch(`${lms.url}/webhooks/razorpay`, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-razorpay-signature': sign(body),
      'x-razorpay-event-id': eventId ?? randomBytes(7).toString('hex'),
      ...headers,
    },
    ...(method === 'POST' && { body }),
  })
}

const eventOf = (eventId: string) => lms.db.orm.webhook_events.where({ eventId }).first()

const events = () => lms.db.orm.webhook_events.where({}).all()

describe('a webhook', () => {
  it('alone fulfills the order, the browser never coming back', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
    await expectSound(lms)
  })

  it('delivered sixteen times is acknowledged sixteen times and does it once', async () => {
    const opened = await anOrder(lms)
    const paid = lms.razorpay.with({ copies: 16 }, () => pay(lms, opened))
    await deliverWebhooks(lms)
    const statuses = lms.razorpay
      .deliveries()
      .filter(({ body }) => body.includes(paid.razorpay_payment_id))
      .flatMap(({ attempts }) => attempts.map(({ status }) => status))
    expect(statuses).toEqual(Array.from({ length: 3 * 16 }, () => 200))
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    await expectSound(lms)
  })

  it.each([
    ['authorized', 'captured', 'paid'],
    ['authorized', 'paid', 'captured'],
    ['captured', 'authorized', 'paid'],
    ['captured', 'paid', 'authorized'],
    ['paid', 'authorized', 'captured'],
    ['paid', 'captured', 'authorized'],
  ])('with its events in the order %s, %s, %s ends the same', async (...order) => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    const told = lms.razorpay.deliveries().filter(({ body }) => body.includes(id))
    for (const name of order) {
      const event = told.find((one) => one.event.endsWith(`.${name}`))
      if (!event) throw new Error(`no event ${name}`)
      expect(await postEvent(lms.url, event)).toBe(200)
      await lms.deps.background.idle()
    }
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    await expectSound(lms)
  })

  it('of an event we do not know is stored and acknowledged', async () => {
    const body = JSON.stringify({ event: 'virtual_account.created', payload: {} })
    expect((await send({ body, eventId: 'not-known' })).status).toBe(200)
    await deliverWebhooks(lms)
    expect(await eventOf('not-known')).toMatchObject({ state: 'DONE', outcome: 'ignored' })
  })

  it.each(['{', 'null', '[]', '{"event":1}'])(
    'that is signed and says %s is stored and acknowledged',
    async (body) => {
      const eventId = randomBytes(7).toString('hex')
      expect((await send({ body, eventId })).status).toBe(200)
      await deliverWebhooks(lms)
      expect(await eventOf(eventId)).toMatchObject({ state: 'DONE', outcome: 'unreadable' })
    },
  )

  it('without an event id is known again by its body', async () => {
    const body = JSON.stringify({ event: 'x.y', payload: {}, nonce: 'a body of its own' })
    const before = (await events()).length
    for (let time = 0; time < 3; time += 1) {
      const sent = await send({ body, headers: { 'x-razorpay-event-id': '../etc' } })
      expect(sent.status).toBe(200)
    }
    expect(await events()).toHaveLength(before + 1)
  })
})

describe('the webhook door refuses', () => {
  it('a bad signature, storing nothing and saying so once', async () => {
    const before = (await events()).length
    const complaints = () =>
      lms.logs().filter((line) => line.includes('webhook with a bad signature')).length
    // One line a minute is said, and another test may have had this minute's.
    lms.clock.advance(61)
    const said = complaints()
    const body = JSON.stringify({ event: 'payment.captured', payload: {} })
    for (const signature of ['', 'f'.repeat(64), sign(body).toUpperCase(), sign(`${body} `)]) {
      const answer = await send({ body, headers: { 'x-razorpay-signature': signature } })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ error: { reason: 'SIGNATURE_INVALID' } })
    }
    expect(await events()).toHaveLength(before)
    expect(complaints()).toBe(said + 1)
  })

  it('the signature of the key secret', async () => {
    const body = '{"event":"payment.captured","payload":{}}'
    const answer = await send({
      body,
      headers: { 'x-razorpay-signature': sign(body, SECRETS.razorpayKey) },
    })
    expect(answer.status).toBe(400)
  })

  it('other methods, types, packed and overlong bodies', async () => {
    const body = '{"event":"a.b","payload":{}}'
    const get = await send({ body, method: 'GET' })
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    const text = await send({ body, headers: { 'content-type': 'text/plain' } })
    expect(text.status).toBe(415)
    const packed = await send({ body, headers: { 'content-encoding': 'gzip' } })
    expect(packed.status).toBe(415)
    const long = await send({ body: `"${'x'.repeat(1024 * 1024)}"` })
    expect(long.status).toBe(413)
  })

  it('nothing because of a cookie or an origin', async () => {
    const body = '{"event":"a.b","payload":{}}'
    const answer = await send({
      body,
      headers: { origin: 'https://elsewhere.test', cookie: 'session=x' },
    })
    expect(answer.status).toBe(200)
  })
})

describe('a webhook that we died on', () => {
  it('is worked on by the job that finds it', async () => {
    const opened = await anOrder(lms)
    payWithoutWebhooks(lms, opened)
    const { body } = lms.razorpay
      .deliveries()
      .filter(({ event }) => event === 'order.paid')
      .at(-1) ?? {
      body: '',
    }
    const at = lms.clock.now()
    // As storeEvent leaves it, and nobody came to work on it.
    await lms.db.orm.webhook_events.create({
      gateway: 'razorpay',
      eventId: 'left-alone',
      event: 'order.paid',
      body,
      receivedAt: at,
      state: 'WAITING',
      attempts: 0,
      nextAt: at,
      processedAt: null,
      outcome: null,
      paymentId: null,
    })
    for (const job of paymentJobs) if (job.name === 'webhook-inbox') await runJob(job, lms.deps)
    expect(await eventOf('left-alone')).toMatchObject({ state: 'DONE' })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSound(lms)
  })
})
