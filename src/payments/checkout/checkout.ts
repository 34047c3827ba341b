// Ours is written first, Razorpay's second under our id as its receipt, and then the two are linked; whoever
// dies in between, or never hears the answer, finds it again by the receipt.
import { ObjectId } from 'mongodb'
import type { Actor } from '../../auth/sessions.ts'
import { holdUse } from '../../coupons/uses.ts'
import { isDuplicateKey } from '../../db.ts'
import { DomainError } from '../../errors.ts'
import { openKeyOf, priceCart, type Cart, type NewOrder } from '../../orders/cart.ts'
import { expire } from '../../orders/expiry.ts'
import { requireOrder, showOrder, type Order, type OrderDocument } from '../../orders/order.ts'
import { entryOf, moveOrder } from '../../orders/transitions.ts'
import type { Till } from '../deps.ts'
import { gatewayDown } from '../gateway-down.ts'
import { fulfill } from '../settlement/fulfillment.ts'
import { linkOrder } from '../settlement/order-of-payment.ts'

export const OPEN_MINUTES = 60
const MOST_OPEN = 20

/** What checkout.js is opened with; `script` is where it comes from. */
export type Checkout = {
  key: string
  order_id: string
  amount: number
  currency: string
  name: string
  prefill: { name: string; email: string }
  script: string
}

/** Opens an order, or answers the one that is open for this very cart. A zero total is fulfilled at once. */
export async function createOrder(
  deps: Till,
  actor: Actor,
  input: NewOrder,
): Promise<{ order: Order; checkout: Checkout | null }> {
  const cart = await priceCart(deps, actor, input)
  const { order, isNew } = await openOrder(deps, actor, cart)
  if (cart.coupon) await holdFor(deps, order, cart.coupon)
  if (order.amountPaise === 0) {
    await giveAway(deps, order)
    return { order: await showOrder(deps, order._id), checkout: null }
  }
  const razorpayOrderId = await linkedTo(deps, order, { isNew })
  return {
    order: await showOrder(deps, order._id),
    checkout: checkoutOf(deps, actor, { order, razorpayOrderId }),
  }
}

async function openOrder(
  deps: Till,
  actor: Actor,
  cart: Cart,
): Promise<{ order: OrderDocument; isNew: boolean }> {
  const openKey = openKeyOf(actor.id, cart)
  await requireFewOpen(deps, actor, openKey)
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const at = deps.now()
    try {
      const order = await deps.db.orm.orders.create({
        userId: actor.id,
        status: 'CREATED',
        currency: cart.currency,
        amountPaise: cart.amountPaise,
        discountPaise: cart.discountPaise,
        lines: cart.lines,
        openKey,
        couponCode: cart.coupon?.code ?? null,
        razorpayOrderId: null,
        paymentId: null,
        reviewReason: null,
        timeline: [entryOf(at, { event: 'created' })],
        expiresAt: new Date(at.getTime() + OPEN_MINUTES * 60_000),
        checkedAt: at,
        paidAt: null,
        fulfilledAt: null,
        createdAt: at,
        updatedAt: at,
      })
      return { order, isNew: true }
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
    const order = await deps.db.orm.orders.where({ openKey }).first()
    if (order && order.expiresAt > at) return { order, isNew: false }
    if (order) await expire(deps, order)
  }
  throw new DomainError('CHANGED_MEANWHILE')
}

/** Each open order is one to ask Razorpay about, every minute: nobody may open them without end. */
async function requireFewOpen(deps: Till, actor: Actor, openKey: string): Promise<void> {
  const open = await deps.db.driver.collection('orders').countDocuments(
    {
      userId: new ObjectId(actor.id),
      status: 'CREATED',
      expiresAt: { $gt: deps.now() },
      openKey: { $ne: openKey },
    },
    { limit: MOST_OPEN, maxTimeMS: 5_000 },
  )
  if (open >= MOST_OPEN) throw new DomainError('TOO_MANY_OPEN_ORDERS', { retryAfterSeconds: 60 })
}

/** An order whose coupon cannot be held must not be paid, so it is closed before Razorpay hears of it. */
async function holdFor(
  deps: Till,
  order: OrderDocument,
  coupon: NonNullable<Cart['coupon']>,
): Promise<void> {
  try {
    await holdUse(deps, coupon, { orderId: order._id, userId: order.userId })
  } catch (error) {
    if (error instanceof DomainError) {
      await moveOrder(deps, {
        id: order._id,
        from: ['CREATED'],
        where: { razorpayOrderId: null },
        set: { status: 'EXPIRED' },
        unset: ['openKey'],
        note: { event: 'closed', detail: 'the coupon is used up' },
      })
    }
    throw error
  }
}

async function giveAway(deps: Till, order: OrderDocument): Promise<void> {
  await moveOrder(deps, {
    id: order._id,
    from: ['CREATED'],
    where: { amountPaise: 0 },
    set: { status: 'PAID', paidAt: deps.now() },
    unset: ['openKey'],
    note: { event: 'nothing to pay' },
  })
  await fulfill(deps, order._id)
}

async function linkedTo(
  deps: Till,
  order: OrderDocument,
  { isNew }: { isNew: boolean },
): Promise<string> {
  if (order.razorpayOrderId) return order.razorpayOrderId
  const { _id: receipt, amountPaise, currency } = order
  try {
    const earlier = isNew ? null : await deps.razorpay.findOrderByReceipt(receipt)
    const isSame = earlier?.amountPaise === amountPaise && earlier.currency === currency
    const theirs = isSame
      ? earlier
      : await deps.razorpay.createOrder({
          amountPaise,
          currency,
          receipt,
          notes: { order: receipt },
        })
    await linkOrder(deps, order._id, theirs)
  } catch (failure) {
    throw gatewayDown(deps, failure)
  }
  const { razorpayOrderId } = await requireOrder(deps, order._id)
  if (!razorpayOrderId) throw new DomainError('ORDER_CLOSED')
  return razorpayOrderId
}

function checkoutOf(
  { settings }: Till,
  actor: Actor,
  { order, razorpayOrderId }: { order: OrderDocument; razorpayOrderId: string },
): Checkout {
  return {
    key: settings.razorpayKeyId,
    order_id: razorpayOrderId,
    amount: order.amountPaise,
    currency: order.currency,
    name: settings.appName,
    prefill: { name: actor.name, email: actor.email },
    script: settings.razorpayCheckoutUrl,
  }
}
