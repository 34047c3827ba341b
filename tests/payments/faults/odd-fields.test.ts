// Fields that nobody uses decide nothing, and what cannot be read is set aside by itself.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anOrder, aSale, payWithoutWebhooks, type Opened } from '../../support/builders/orders.ts'
import { anAdmin } from '../../support/builders/people.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  introduceAccount,
  isIn,
  ledgerOf,
  statusOf,
} from '../../support/order-checks.ts'

let lms: Lms
const start = async () => {
  lms = await startLms()
  await introduceAccount(lms)
}
const settle = async () => {
  await deliverWebhooks(lms)
  await expectSound(lms)
}

type Odd = Record<string, unknown>

/** What Razorpay has of it, and from now on answers. */
const theirs = (id: string): Odd => {
  const { payments, orders, refunds, disputes } = lms.razorpay.state
  const entity =
    payments.get(id)?.payment ??
    orders.get(id)?.order ??
    refunds.get(id)?.refund ??
    disputes.get(id)?.dispute
  if (!entity) throw new Error(`there is no ${id}`)
  return entity
}

let told = 0

const tell = async (name: string, entities: Odd) => {
  const payload = Object.fromEntries(
    Object.entries(entities).map(([kind, entity]) => [kind, { entity: entity as Odd }]),
  )
  told += 1
  const eventId = `odd-${told}`
  await lms.razorpay.sendEvent({ name, eventId, payload })
  await deliverWebhooks(lms)
  return lms.db.orm.webhook_events.where({ eventId }).first()
}

const stuck = async () => (await anAdmin(lms)).api.orders.stuck.query()

const UNUSED: [string, Odd][] = [
  ['notes as a list', { notes: ['a', 'b'] }],
  ['notes as a text', { notes: 'paid by the uncle' }],
  ['notes with a boolean', { notes: { gift: true } }],
  ['notes with a null', { notes: { gift: null } }],
  ['notes with an object', { notes: { gift: { for: 'Asha' } } }],
  ['no notes at all', { notes: undefined }],
  ['words that are new', { method: 'cardless_emi', refund_status: 'mostly', wallet: 7 }],
  ['nulls', { method: null, email: null, contact: null, card: null, fee: null, captured: null }],
  ['other types', { method: 5, error_reason: { a: 1 }, acquirer_data: 'x', tax: '180', vpa: [] }],
  ['no time', { created_at: null }],
]

const UNREADABLE: [string, Odd][] = [
  ['a status that is new', { status: 'half_captured' }],
  ['an amount in words', { amount: 'four hundred' }],
  ['no currency', { currency: null }],
]

describe('what nobody uses', () => {
  beforeAll(start)
  afterAll(settle)
  describe.each(UNUSED)('a payment with %s', (_what, odd) => {
    it('is read from its event, from verify and by the sweep', async () => {
      const heard = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, heard)
      Object.assign(theirs(id), odd)
      Object.assign(theirs(heard.order_id), odd, { created_at: 'yesterday', attempts: 'many' })
      expect(await tell('payment.captured', { payment: theirs(id) })).toMatchObject({
        state: 'DONE',
      })
      expect(await statusOf(lms, heard)).toBe('FULFILLED')

      const shown = await anOrder(lms)
      const paid = payWithoutWebhooks(lms, shown)
      Object.assign(theirs(paid.razorpay_payment_id), odd)
      expect((await shown.buyer.api.orders.verify.mutate(paid)).status).toBe('FULFILLED')

      const found = [await anOrder(lms), await anOrder(lms)]
      for (const one of found)
        Object.assign(theirs(payWithoutWebhooks(lms, one).razorpay_payment_id), odd)
      lms.clock.advance(61)
      await lms.work()
      for (const one of found) expect(await statusOf(lms, one)).toBe('FULFILLED')
      expect(await stuck()).toMatchObject({ events: [], unreadable: [], payments: [] })
    })
  })

  describe('refunds and disputes', () => {
    it('are taken in whatever their unused fields are', async () => {
      const odd = { notes: 'x', speed_processed: 3, acquirer_data: null, batch_id: {}, phase: null }
      const more = { reason_code: { a: 1 }, respond_by: -5, amount_deducted: 'much', evidence: [] }
      const [given, disputed] = [await aSale(lms), await aSale(lms)]
      lms.razorpay.with({ drop: 'all' }, () => {
        Object.assign(theirs(lms.razorpay.refund(given.paymentId).id), odd)
        const { id } = lms.razorpay.openDispute({ paymentId: disputed.paymentId })
        lms.razorpay.moveDispute(id, 'lost')
        Object.assign(theirs(id), odd, more)
      })
      lms.clock.advance(310)
      await lms.work()
      for (const { buyer, courseIds } of [given, disputed])
        expect(await isIn(buyer, courseIds[0] ?? '')).toBe(false)
    })
  })
})

describe('what is used', () => {
  beforeEach(start)
  afterEach(settle)
  describe.each(UNREADABLE)('a payment with %s', (_what, odd) => {
    it('is set aside alone, at once, keeps nobody waiting, and is read when it can be', async () => {
      const opened: Opened[] = []
      for (let n = 0; n < 3; n += 1) opened.push(await anOrder(lms))
      const ids = opened.map((one) => payWithoutWebhooks(lms, one).razorpay_payment_id)
      const [id = ''] = ids
      const [first] = opened
      if (!first) throw new Error('three were opened')
      const right = { ...theirs(id) }
      Object.assign(theirs(id), odd)
      lms.clock.advance(61)
      await lms.work()
      expect(await Promise.all(opened.map((one) => statusOf(lms, one)))).toEqual([
        'CREATED',
        'FULFILLED',
        'FULFILLED',
      ])
      expect((await stuck()).unreadable).toMatchObject([
        { kind: 'payment', id, orderId: opened[0]?.order.id, reason: Object.keys(odd)[0] },
      ])
      // Whatever may be money keeps its order from being closed.
      lms.clock.advance(2 * 3_600)
      await lms.work()
      expect(await statusOf(lms, first)).toBe('CREATED')
      Object.assign(theirs(id), right)
      lms.clock.advance(3_600)
      await lms.work()
      await lms.work()
      expect(await statusOf(lms, first)).toBe('FULFILLED')
      expect(await stuck()).toMatchObject({ unreadable: [], items: [] })
    })

    it('told of by an event is seen at once, and the event is closed when it can be read', async () => {
      const opened = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
      const right = { ...theirs(id) }
      Object.assign(theirs(id), odd)
      const event = await tell('payment.captured', { payment: theirs(id) })
      expect(event).toMatchObject({ state: 'DEAD', attempts: 1 })
      expect(await stuck()).toMatchObject({
        unreadable: [{ kind: 'payment', id }],
        events: [{ id: event?._id, outcome: `payment ${id} cannot be read` }],
      })
      Object.assign(theirs(id), right)
      lms.clock.advance(16 * 60)
      await lms.work()
      expect(await statusOf(lms, opened)).toBe('FULFILLED')
      expect(await stuck()).toMatchObject({ unreadable: [], events: [] })
    })

    it('is answered to its buyer as not now, and seen', async () => {
      const opened = await anOrder(lms)
      const paid = payWithoutWebhooks(lms, opened)
      const right = { ...theirs(paid.razorpay_payment_id) }
      Object.assign(theirs(paid.razorpay_payment_id), odd)
      await expect(opened.buyer.api.orders.verify.mutate(paid)).rejects.toMatchObject({
        data: { reason: 'PAYMENT_GATEWAY_DOWN' },
      })
      expect((await stuck()).unreadable).toMatchObject([{ orderId: opened.order.id }])
      Object.assign(theirs(paid.razorpay_payment_id), right)
      expect((await opened.buyer.api.orders.verify.mutate(paid)).status).toBe('FULFILLED')
      lms.clock.advance(16 * 60)
      await lms.work()
      expect((await stuck()).unreadable).toEqual([])
    })
  })

  describe('an event with an entity that cannot be read', () => {
    it('makes us look by the ids that it does have', async () => {
      const opened = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
      for (const payment of [{ id }, { id, amount: 'x', status: 9, notes: 3 }])
        await tell('payment.captured', { payment })
      expect(await statusOf(lms, opened)).toBe('FULFILLED')

      const byOrder = await anOrder(lms)
      payWithoutWebhooks(lms, byOrder)
      const event = await tell('order.paid', {
        payment: { id: 'of another age', order_id: byOrder.order_id },
        order: theirs(byOrder.order_id),
      })
      expect(await statusOf(lms, byOrder)).toBe('FULFILLED')
      expect(event).toMatchObject({ state: 'DEAD', attempts: 1 })

      const sale = await aSale(lms)
      const refund = lms.razorpay.with({ drop: 'all' }, () => lms.razorpay.refund(sale.paymentId))
      await tell('refund.processed', { refund: { id: refund.id } })
      expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    })

    it('is given up for each of them, and closed when the last of them was read', async () => {
      const sale = await aSale(lms)
      const refund = lms.razorpay.with({ drop: 'all' }, () => lms.razorpay.refund(sale.paymentId))
      const odd = [theirs(sale.paymentId), theirs(refund.id)]
      const right = odd.map((entity) => ({ ...entity }))
      for (const entity of odd) Object.assign(entity, { status: 'thinking' })
      const [payment, refunded] = odd
      const event = await tell('refund.created', { payment, refund: refunded })
      expect(event).toMatchObject({ state: 'DEAD' })
      expect((await stuck()).unreadable).toHaveLength(2)
      for (const [nth, entity] of odd.entries()) {
        Object.assign(entity, right[nth])
        lms.clock.advance(16 * 60)
        await lms.work()
        expect((await stuck()).events).toHaveLength(nth === 0 ? 1 : 0)
      }
      expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    })

    it('of no use to us, of whatever shape, spoils nothing', async () => {
      const opened = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
      const payload = { payment: { entity: theirs(id) }, settlement: null, offer: 'none' }
      await lms.razorpay.sendEvent({ name: 'payment.captured', payload: payload as never })
      await deliverWebhooks(lms)
      expect(await statusOf(lms, opened)).toBe('FULFILLED')
    })
  })

  describe('a refund that cannot be read', () => {
    it('is not made twice, and its neighbours are taken in', async () => {
      const sale = await aSale(lms, { pricePaise: 50_000 })
      lms.razorpay.webhooks.drop = 'all'
      const first = lms.razorpay.refund(sale.paymentId, 10_000)
      Object.assign(theirs(first.id), { status: 'thinking' })
      lms.razorpay.refund(sale.paymentId, 15_000)
      lms.clock.advance(310)
      await lms.work()
      const rows = () => lms.db.orm.refunds.where({ paymentId: sale.paymentId }).all()
      expect((await rows()).map(({ amountPaise }) => amountPaise)).toEqual([15_000])
      expect((await stuck()).unreadable).toMatchObject([
        { kind: 'refund', id: first.id, orderId: sale.order.id, reason: 'status' },
      ])
      Object.assign(theirs(first.id), { status: 'processed' })
      lms.clock.advance(16 * 60)
      await lms.work()
      expect(await rows()).toHaveLength(2)
      expect(ledgerOf(lms, sale.paymentId)).toMatchObject({ refunded: 25_000 })
    })
  })
})
