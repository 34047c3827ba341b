// The rows of docs/payments.md's table that are about what a gateway tells us, and what somebody else does.
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { anAdmin } from '../../support/builders/people.ts'
import { anOrder } from '../../support/builders/orders.ts'
import { grantCount, isIn, statusOf } from '../../support/order-checks.ts'
import { newId } from '../../support/memory-gateway/model.ts'
import { CONTENT_TYPE, SIGNATURE_HEADER } from '../../support/memory-gateway/sender.ts'
import { showCharge } from '../../support/memory-gateway/shown.ts'
import {
  aSale,
  expectSoundBooks,
  later,
  payUnheard,
  settle,
  startMemoryLms,
  verify,
  type MemoryLms,
} from '../../support/memory-gateway/lms.ts'

let lms: MemoryLms
beforeAll(async () => {
  lms = await startMemoryLms()
  // Whose account it is, is learned from the first event that says so.
  lms.bank.pay((await anOrder(lms)).order_id)
  await settle(lms)
})
afterEach(async () => {
  await settle(lms)
  await expectSoundBooks(lms)
})

const chargeOf = (id: string) => {
  const charge = lms.bank.state.charges.get(id)
  if (!charge) throw new Error(`there is no ${id}`)
  return showCharge(lms.bank.state, charge)
}

async function tell(event: Record<string, unknown>): Promise<string> {
  const { eventId } = lms.bank.sender.make(event)
  await settle(lms)
  return eventId
}

const stored = async (eventId: string) => lms.db.orm.webhook_events.where({ eventId }).first()

describe('events of a payment', () => {
  it('sixteen times over let its buyer in once', async () => {
    const opened = await anOrder(lms)
    await lms.bank.with({ copies: 16 }, async () => {
      lms.bank.pay(opened.order_id)
      await settle(lms)
    })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    const key = `receipt:${opened.order.id}`
    expect(await lms.db.orm.outbox_mails.where({ key }).all()).toHaveLength(1)
  })

  it('late, and the last one first, change nothing that stands', async () => {
    lms.bank.sender.transport.hold = true
    const opened = await anOrder(lms)
    const late = lms.bank.pay(opened.order_id, { outcome: 'declined' })
    lms.bank.holdLate(late.id)
    expect((await verify(opened)).status).toBe('FULFILLED')
    lms.clock.advance(3 * 24 * 3_600)
    await lms.bank.sender.release('reversed')
    await settle(lms)
    const kinds = lms.bank.sender.deliveries.filter(({ body }) => body.includes(late.id))
    expect(kinds.map(({ kind, state }) => [kind, state])).toEqual([
      ['charge.taken', 'taken'],
      ['charge.held', 'taken'],
      ['charge.declined', 'taken'],
    ])
    lms.bank.sender.deliveries.reverse()
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
    const payment = await lms.db.orm.payments.where({ gatewayPaymentId: late.id }).first()
    expect(payment?.status).toBe('captured')
  })

  it('of a refund that come before those of its payment let nobody in', async () => {
    lms.bank.sender.transport.hold = true
    const opened = await anOrder(lms)
    const { id } = lms.bank.pay(opened.order_id)
    lms.bank.take(id)
    lms.bank.giveBack(id)
    lms.bank.sendReturns()
    await lms.bank.sender.release('reversed')
    await settle(lms)
    lms.bank.sender.deliveries.reverse()
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
  })

  it('under one id with two bodies are two events', async () => {
    const opened = [await anOrder(lms), await anOrder(lms)]
    const ids = []
    for (const one of opened) ids.push(await payUnheard(lms, one))
    const event_id = newId('me')
    for (const id of [...ids, ...ids])
      await tell({ event_id, kind: 'charge.held', about: { charge: chargeOf(id) } })
    for (const one of opened) expect(await statusOf(lms, one)).toBe('FULFILLED')
  })

  it('that the gateway cannot be asked about are put off, and worked on later', async () => {
    const sale = await aSale(lms)
    const faults = [{ route: 'show charge', kind: 'broken', times: 100 } as const]
    await lms.bank.with({ faults }, async () => {
      lms.bank.giveBack(sale.paymentId)
      await settle(lms)
      expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    })
    await later(lms, 20)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    lms.bank.sendReturns()
  })
})

describe('an event that is not for us', () => {
  it('of another merchant has no effect, and is told of', async () => {
    const opened = await anOrder(lms)
    const charge = chargeOf(await payUnheard(lms, opened))
    const eventId = await tell({ kind: 'charge.held', merchant: newId('mm'), about: { charge } })
    expect(await stored(eventId)).toMatchObject({ state: 'DONE', outcome: 'another account' })
    expect(await statusOf(lms, opened)).toBe('CREATED')
    expect(lms.logs().join()).toContain('webhook of another account')
    await later(lms, 61)
  })

  it('of a payment that the gateway does not have is closed with that word', async () => {
    const charge = { ...chargeOf((await aSale(lms)).paymentId), id: newId('mp') }
    const about = { id: newId('mr'), charge: charge.id, price: charge.price, state: 'sent' }
    for (const event of [
      { kind: 'charge.taken', about: { charge } },
      { kind: 'return.sent', about: { return: { ...about, made_at: charge.made_at } } },
    ]) {
      const eventId = await tell(event)
      expect(await stored(eventId)).toMatchObject({
        state: 'DONE',
        outcome: 'denied by the gateway',
      })
    }
  })

  it('of something that is no payment is acknowledged and ignored', async () => {
    const eventId = await tell({ kind: 'payout.made', about: { payout: 'of yesterday' } })
    expect(await stored(eventId)).toMatchObject({ state: 'DONE', outcome: 'ignored' })
  })
})

describe('an event that cannot be read', () => {
  it('is acknowledged, and kept by what it says', async () => {
    const { headersOf, post } = lms.bank.sender
    for (const body of ['{', 'null', '[]', '{"event_id":1}', '{"event_id":"../x"}']) {
      for (let time = 0; time < 2; time += 1) expect(await post(body, headersOf(body))).toBe(200)
    }
    await settle(lms)
    const events = await lms.db.orm.webhook_events.where({ event: 'unreadable' }).all()
    expect(events.map(({ state, outcome }) => [state, outcome])).toEqual(
      Array.from({ length: 5 }, () => ['DONE', 'unreadable']),
    )
  })

  it('though it is of a payment, is shown to an administrator at once', async () => {
    const { paymentId } = await aSale(lms)
    const eventId = await tell({ kind: 'claim.filed', about: { claim: { charge: paymentId } } })
    expect(await stored(eventId)).toMatchObject({ state: 'DEAD', attempts: 1 })
    const { api } = await anAdmin(lms)
    const { events } = await api.orders.stuck.query()
    expect(events).toMatchObject([{ event: 'claim.filed' }])
  })
})

describe('the door of the gateway’s webhooks', () => {
  const body = () => JSON.stringify({ event_id: newId('me'), kind: 'payout.made', about: {} })

  it('refuses what is forged, altered, old or unsigned, and stores nothing of it', async () => {
    const { headersOf, post } = lms.bank.sender
    const before = (await lms.db.orm.webhook_events.where({}).all()).length
    const sent = body()
    const right = headersOf(sent)
    const stranger = generateKeyPairSync('ed25519').privateKey
    const ago = (seconds: number) => new Date(lms.clock.now().getTime() - seconds * 1000)
    const signature = right[SIGNATURE_HEADER] ?? ''
    const forgeries = [
      headersOf(sent, { key: stranger }),
      headersOf(`${sent} `),
      headersOf(sent, { at: ago(301) }),
      // Whole seconds are signed while the clock goes on: a message from just over the edge of
      // the future may be within it by the time it arrives.
      headersOf(sent, { at: ago(-310) }),
      ...['', 't=1', signature.replace(/t=(\d)/, 't=9$1'), signature.slice(0, -2)].map((text) => {
        return { ...right, [SIGNATURE_HEADER]: text }
      }),
    ]
    for (const headers of forgeries) expect(await post(sent, headers)).toBe(400)
    expect(await post(sent, { 'content-type': CONTENT_TYPE })).toBe(400)
    expect(await lms.db.orm.webhook_events.where({}).all()).toHaveLength(before)
    expect(await post(sent, right)).toBe(200)
  })

  it('takes what is signed with the key before this one', async () => {
    const { headersOf, post, keyBefore } = lms.bank.sender
    const sent = body()
    expect(await post(sent, headersOf(sent, { key: keyBefore }))).toBe(200)
  })

  it('takes this gateway’s own content type alone, and only where it is configured', async () => {
    const { headersOf, post } = lms.bank.sender
    const sent = body()
    const json = { ...headersOf(sent), 'content-type': 'application/json' }
    expect(await post(sent, json)).toBe(415)
    const elsewhere = await fetch(`${lms.url}/webhooks/razorpay`, { method: 'POST', body: sent })
    expect(elsewhere.status).toBe(404)
  })
})
