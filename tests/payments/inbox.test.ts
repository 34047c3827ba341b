import { beforeAll, describe, expect, it } from 'vitest'
import { processEvent } from '../../src/payments/webhooks/inbox.ts'
import { anOrder, aSale, pay, payWithoutWebhooks } from '../support/builders/orders.ts'
import { anAdmin } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  statusOf,
  introduceAccount,
} from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  await introduceAccount(lms)
})

const entityOf = (id: string) => ({ ...lms.razorpay.state.payments.get(id)?.payment })

const eventOf = (eventId: string) => lms.db.orm.webhook_events.where({ eventId }).first()

describe('the inbox', () => {
  it('keeps two events apart that come under one id, which is not signed', async () => {
    const opened = [await anOrder(lms), await anOrder(lms)]
    const paid = opened.map((one) => payWithoutWebhooks(lms, one).razorpay_payment_id)
    for (const id of [...paid, ...paid]) {
      await lms.razorpay.sendEvent({
        name: 'payment.captured',
        eventId: 'OneIdForTwo001',
        payload: { payment: { entity: entityOf(id) } },
      })
    }
    await deliverWebhooks(lms)
    for (const one of opened) expect(await statusOf(lms, one)).toBe('FULFILLED')
    await expectSound(lms)
  })

  it('shows an administrator at once what it cannot read', async () => {
    const { api } = await anAdmin(lms)
    const before = (await api.admin.stats.query()).webhooks.dead
    const { paymentId } = await aSale(lms)
    const eventId = 'of-an-odd-dispute'
    await lms.razorpay.sendEvent({
      name: 'payment.dispute.lost',
      eventId,
      payload: { payment: { entity: entityOf(paymentId) }, dispute: { entity: { id: 'odd' } } },
    })
    await deliverWebhooks(lms)
    const { events } = await api.orders.stuck.query()
    const stored = await eventOf(eventId)
    expect(events.filter(({ id }) => id === stored?._id)).toMatchObject([
      { event: 'payment.dispute.lost', attempts: 1 },
    ])
    expect((await api.admin.stats.query()).webhooks.dead).toBe(before + 1)
  })

  it('gives an event up in the end that can never be worked on', async () => {
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, await anOrder(lms))
    const eventId = 'never-worked-on'
    await lms.razorpay.with({ faults: [{ route: '*', kind: 'error', times: 100 }] }, async () => {
      await lms.razorpay.sendEvent({
        name: 'payment.captured',
        eventId,
        payload: { payment: { entity: { ...entityOf(id), order_id: 'order_NeverHeardOf01' } } },
      })
      await deliverWebhooks(lms)
      const _id = (await eventOf(eventId))?._id ?? ''
      await lms.db.orm.webhook_events.where({ _id }).update({ attempts: 498 })
      await processEvent(lms.deps, _id)
      expect(await eventOf(eventId)).toMatchObject({ state: 'WAITING', attempts: 499 })
      await processEvent(lms.deps, _id)
      expect(await eventOf(eventId)).toMatchObject({ state: 'DEAD' })
    })
    lms.clock.advance(61)
    await lms.work()
  })
})

describe('what administrators are told of webhooks', () => {
  it('is not that they are silent because nobody has bought anything for an hour', async () => {
    pay(lms, await anOrder(lms))
    await deliverWebhooks(lms)
    lms.clock.advance(45 * 60)
    const { api } = await anAdmin(lms)
    expect((await api.admin.stats.query()).webhooks.isSilent).toBe(false)
  })

  it('counts those of another account and of no payment at all, and neither as revenue', async () => {
    const { api } = await anAdmin(lms)
    const before = await api.admin.stats.query()
    const { paymentId } = await aSale(lms)
    const entity = { ...entityOf(paymentId), id: 'pay_NobodyKnowsIt1', order_id: null }
    const event = { name: 'payment.captured', payload: { payment: { entity } } }
    await lms.razorpay.sendEvent(event)
    await lms.razorpay.sendEvent({ ...event, accountId: 'acc_SomebodyElse01' })
    await deliverWebhooks(lms)
    const after = await api.admin.stats.query()
    expect(after.webhooks.refused).toBe(before.webhooks.refused + 2)
    expect(after.strayPayments).toBe(before.strayPayments)
    expect(after.revenue.grossPaise).toBe(before.revenue.grossPaise + 49_900)
  })
})
