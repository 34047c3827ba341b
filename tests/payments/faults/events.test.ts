// Events that are lost, repeated, late or out of order.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { paymentJobs } from '../../../src/payments/jobs.ts'
import {
  anOrder,
  aSale,
  pay,
  payWithoutWebhooks,
  type Opened,
} from '../../support/builders/orders.ts'
import { anAdmin } from '../../support/builders/people.ts'
import { SECRETS, startLms, type Lms, runJob } from '../../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  grantCount,
  isIn,
  statusOf,
  introduceAccount,
} from '../../support/order-checks.ts'

const OLD_SECRET = 'the-webhook-secret-before-this-one'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { RAZORPAY_WEBHOOK_SECRETS: `${SECRETS.webhook},${OLD_SECRET}` } })
  await introduceAccount(lms)
})
afterEach(async () => {
  await deliverWebhooks(lms)
  await expectSound(lms)
})

const paymentOf = (id: string) => {
  const payment = lms.razorpay.state.payments.get(id)?.payment
  return { ...payment } as Record<string, unknown>
}

const once = async ({ buyer, courseIds }: Opened) => grantCount(lms, buyer, courseIds[0] ?? '')

describe('events of a payment', () => {
  it('enrol a buyer who closed the browser after paying', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('that never come are made good by the sweep', async () => {
    const opened = await anOrder(lms)
    payWithoutWebhooks(lms, opened)
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('met by verify in the same millisecond enrol once', async () => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened)
    const [order] = await Promise.all([
      opened.buyer.api.orders.verify.mutate(paid),
      deliverWebhooks(lms),
    ])
    expect(['PAID', 'FULFILLED']).toContain(order.status)
    expect(await once(opened)).toBe(1)
  })

  it('delivered sixteen times, authorized, captured and paid alike, enrol once', async () => {
    const opened = await anOrder(lms)
    lms.razorpay.with({ copies: 16 }, () => pay(lms, opened))
    await deliverWebhooks(lms)
    expect(await once(opened)).toBe(1)
    const keys = [`receipt:${opened.order.id}`, `enrolled:${opened.order.id}:1`]
    for (const key of keys)
      expect(await lms.db.orm.outbox_mails.where({ key }).all()).toHaveLength(1)
  })

  it('with order.paid first and authorized last leave it paid', async () => {
    const opened = await anOrder(lms)
    lms.razorpay.with({ order: 'reversed' }, () => pay(lms, opened))
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('that say failed and then captured enrol', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = pay(lms, opened, { outcome: 'late' })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.razorpay.authorizeLate(id)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('that say captured and late on failed change nothing', async () => {
    const sale = await aSale(lms)
    const entity = { ...paymentOf(sale.paymentId), status: 'failed', captured: false }
    await lms.razorpay.sendEvent({ name: 'payment.failed', payload: { payment: { entity } } })
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    const payment = await lms.db.orm.payments.where({ gatewayPaymentId: sale.paymentId }).first()
    expect(payment?.status).toBe('captured')
  })

  it('are judged by their status, never by the captured flag', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = pay(lms, opened, { outcome: 'fail' })
    const entity = { ...paymentOf(id), captured: true }
    await lms.razorpay.sendEvent({ name: 'payment.failed', payload: { payment: { entity } } })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('CREATED')
  })
})

describe('the way events come', () => {
  it('with a secret since rotated still counts, and with one never ours does not', async () => {
    const secrets = [OLD_SECRET, SECRETS.webhook]
    for (const secret of secrets) {
      const opened = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
      const entity = paymentOf(id)
      const event = { name: 'payment.captured', payload: { payment: { entity } } }
      await lms.razorpay.sendEvent({ ...event, secret: 'a secret that was never ours' })
      await deliverWebhooks(lms)
      expect(await statusOf(lms, opened)).toBe('CREATED')
      await lms.razorpay.sendEvent({ ...event, secret })
      await deliverWebhooks(lms)
      expect(await statusOf(lms, opened)).toBe('FULFILLED')
    }
  })

  it('with the same body under another event id does nothing twice', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = pay(lms, opened)
    await deliverWebhooks(lms)
    for (const eventId of ['replayed-one', 'replayed-two']) {
      const payload = { payment: { entity: paymentOf(id) } }
      await lms.razorpay.sendEvent({ name: 'payment.captured', eventId, payload })
    }
    await deliverWebhooks(lms)
    expect(await once(opened)).toBe(1)
  })

  it('is acknowledged before the work, however long Razorpay makes that take', async () => {
    const opened = await anOrder(lms)
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update((order) => [order.gatewayOrderId.unset()])
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    const payload = { payment: { entity: paymentOf(id) } }
    const faults: Fault[] = [{ route: 'GET /orders/:id', kind: 'hang' }]
    await lms.razorpay.with({ faults }, async () => {
      await lms.razorpay.sendEvent({ name: 'payment.captured', eventId: 'slow-work', payload })
      const event = await lms.db.orm.webhook_events.where({ eventId: 'slow-work' }).first()
      expect(event?.state).toBe('WAITING')
      await deliverWebhooks(lms)
    })
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('was shut for a day: the start-up sweep covers what was paid, and the alarm is raised', () =>
    lms.razorpay.with({ webhooksEnabled: false }, async () => {
      const opened = await Promise.all(Array.from({ length: 3 }, () => anOrder(lms)))
      lms.clock.advance(5)
      for (const one of opened) pay(lms, one)
      lms.clock.advance(23 * 60 * 60)
      const { deps } = await lms.another()
      for (const job of paymentJobs) await runJob(job, deps)
      for (const one of opened) expect(await statusOf(lms, one)).toBe('FULFILLED')
      lms.clock.advance(31 * 60)
      const { api } = await anAdmin(lms)
      expect((await api.admin.stats.query()).webhooks.isSilent).toBe(true)
    }))

  it.each([600, -600])('with the clock %i seconds off pays out no differently', async (seconds) => {
    lms.clock.advance(seconds)
    const opened = await anOrder(lms)
    pay(lms, opened)
    lms.clock.advance(-2 * seconds)
    await deliverWebhooks(lms)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    lms.clock.advance(seconds + 120)
    await lms.work()
    expect(await once(opened)).toBe(1)
  })
})
