import { expect } from 'vitest'
import type { Order } from '../../../src/orders/order.ts'
import type { PayInput } from '../../../sandbox/razorpay/model/outcomes.ts'
import { anAdmin, aStudent, type Person } from './people.ts'
import { aPublishedCourse } from './courses.ts'
import type { Lms } from '../harness.ts'

/** An open order with its buyer; `order_id` is Razorpay's. */
export type Opened = { buyer: Person; order: Order; order_id: string; courseIds: string[] }

type Cart = { buyer?: Person; courseIds?: string[]; pricePaise?: number; couponCode?: string }

/** Someone with an open order, for a new course unless told which. */
export async function anOrder(lms: Lms, cart: Cart = {}): Promise<Opened> {
  const buyer = cart.buyer ?? (await aStudent(lms))
  const courseIds = cart.courseIds ?? [await aCourse(lms, cart.pricePaise)]
  const { couponCode } = cart
  const { order, checkout } = await buyer.api.orders.create.mutate({
    courseIds,
    ...(couponCode !== undefined && { couponCode }),
  })
  return { buyer, order, order_id: checkout?.order_id ?? '', courseIds }
}

/** The id of a course on sale. */
export async function aCourse(lms: Lms, pricePaise = 49_900): Promise<string> {
  return (await aPublishedCourse(lms, { pricePaise })).course.id
}

/** Pays at Razorpay; what the browser gets is what orders.verify takes. */
export function pay(lms: Lms, opened: Opened, input: PayInput = {}) {
  const paid = lms.razorpay.pay(opened.order_id, input)
  return {
    orderId: opened.order.id,
    ...(paid.checkout ?? {
      razorpay_payment_id: paid.payment?.id ?? '',
      razorpay_order_id: opened.order_id,
      razorpay_signature: '',
    }),
  }
}

/** Pays at Razorpay, and every webhook of it is lost: only the browser or the sweep can tell us. */
export function payWithoutWebhooks(lms: Lms, opened: Opened, input: PayInput = {}) {
  return lms.razorpay.with({ drop: 'all' }, () => pay(lms, opened, input))
}

/** An order paid and fulfilled, by verify alone. */
export async function aSale(lms: Lms, cart: Cart = {}): Promise<Opened & { paymentId: string }> {
  const opened = await anOrder(lms, cart)
  const paid = payWithoutWebhooks(lms, opened)
  const order = await opened.buyer.api.orders.verify.mutate(paid)
  expect(order.status).toBe('FULFILLED')
  return { ...opened, order, paymentId: paid.razorpay_payment_id }
}

/** Waits until every webhook that is due was delivered and worked on. */
export async function settle(lms: Lms): Promise<void> {
  await lms.razorpay.settle()
  await lms.deps.background.idle()
}

export async function statusOf(lms: Lms, { order }: Pick<Opened, 'order'>): Promise<string> {
  const stored = await lms.db.orm.orders.where({ _id: order.id }).first()
  return stored?.status ?? 'gone'
}

/** Whether the course is open to this user, as the catalogue tells them. */
export async function isIn({ api }: Person, courseId: string): Promise<boolean> {
  const mine = await api.enrollments.mine.query({ limit: 100 })
  return mine.items.some((item) => item.courseId === courseId && item.isActive)
}

/** How many enrollments and grants there are of it: one of each, however often it was paid for. */
export async function grantCount(lms: Lms, user: Person, courseId: string): Promise<number> {
  const rows = await lms.db.orm.enrollments.where({ userId: user.user.id, courseId }).all()
  expect(rows.length).toBeLessThanOrEqual(1)
  return rows.flatMap(({ grants }) => grants).length
}

/** Every invariant of the books holds now, and Razorpay's own ledger says the same. */
export async function expectSound(lms: Lms): Promise<void> {
  const admin = await anAdmin(lms)
  expect(await admin.api.admin.invariants.query({ graceSeconds: 0 })).toEqual([])
  for (const order of lms.razorpay.ledger().orders) {
    for (const { id, captured, amount, refunded } of order.payments) {
      const ours = await lms.db.orm.payments.where({ razorpayPaymentId: id }).first()
      const refunds = await lms.db.orm.refunds.where({ paymentId: id }).all()
      const given = refunds
        .filter(({ status }) => status === 'PENDING' || status === 'PROCESSED')
        .reduce((sum, { amountPaise }) => sum + amountPaise, 0)
      if (captured) expect([id, ours?.amountPaise, given]).toEqual([id, amount, refunded])
    }
  }
}
