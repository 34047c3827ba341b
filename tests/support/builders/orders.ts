import { expect } from 'vitest'
import type { PayInput } from '../../../sandbox/razorpay/model/outcomes.ts'
import type { Order } from '../../../src/orders/order.ts'
import type { Lms } from '../harness.ts'
import { aPublishedCourse } from './courses.ts'
import { aStudent, type Person } from './people.ts'

/** An open order with its buyer; `order_id` is Razorpay's. */
export type Opened = { buyer: Person; order: Order; order_id: string; courseIds: string[] }

export type Sale = Opened & { paymentId: string }

type Cart = { buyer?: Person; courseIds?: string[]; pricePaise?: number; couponCode?: string }

/** Someone with an open order, for a new course unless told which. */
export async function anOrder(lms: Lms, cart: Cart = {}): Promise<Opened> {
  const buyer = cart.buyer ?? (await aStudent(lms))
  const courseIds = cart.courseIds ?? [await aCourseId(lms, cart.pricePaise)]
  const { couponCode } = cart
  const { order, checkout } = await buyer.api.orders.create.mutate({
    courseIds,
    ...(couponCode !== undefined && { couponCode }),
  })
  return { buyer, order, order_id: checkout?.order_id ?? '', courseIds }
}

/** The id of a course on sale. */
export async function aCourseId(lms: Lms, pricePaise = 49_900): Promise<string> {
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
export async function aSale(lms: Lms, cart: Cart = {}): Promise<Sale> {
  const opened = await anOrder(lms, cart)
  const paid = payWithoutWebhooks(lms, opened)
  const order = await opened.buyer.api.orders.verify.mutate(paid)
  expect(order.status).toBe('FULFILLED')
  return { ...opened, order, paymentId: paid.razorpay_payment_id }
}

/** An order of two courses, for 300 and 200 rupees, paid and fulfilled. */
export async function aSaleOfTwo(lms: Lms): Promise<Sale> {
  return aSale(lms, { courseIds: [await aCourseId(lms, 30_000), await aCourseId(lms, 20_000)] })
}

/** The line of that price, in paise. */
export function lineOf({ order }: Pick<Opened, 'order'>, amountPaise: number) {
  return order.lines.find((line) => line.amountPaise === amountPaise) ?? { no: 0, courseId: '' }
}
