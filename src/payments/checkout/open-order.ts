// One open order for a cart, and so many for an account: both are decided by unique keys as the order is written.
import type { Actor } from '../../auth/sessions.ts'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { MINUTE_MS } from '../../durations.ts'
import { DomainError } from '../../errors.ts'
import { inTurn } from '../../in-turn.ts'
import { openKeyOf, type Cart } from '../../orders/cart.ts'
import { freeSlot, MOST_OPEN } from '../../orders/open-slots.ts'
import { requireOrder, type OrderDocument } from '../../orders/order.ts'
import { entryOf } from '../../orders/transitions.ts'
import type { PaymentDeps } from '../deps.ts'
import { nextLook } from '../reconciliation/schedule.ts'
import { closeNow } from './orders-over.ts'

const OPEN_MS = 60 * MINUTE_MS
// While a coupon is held nobody else can have it: long enough for any bank's page.
const OPEN_WITH_COUPON_MS = 20 * MINUTE_MS

// Whoever loses a key has seen somebody else take one, and there are only so many.
const MAX_TRIES = 2 * MOST_OPEN

/**
 * The order that is open for this very cart, or a new one. Throws TOO_MANY_OPEN_ORDERS, ALREADY_ENROLLED where an
 * earlier order turns out to be paid, and CHANGED_MEANWHILE.
 */
export async function openOrder(
  deps: PaymentDeps,
  actor: Actor,
  cart: Cart,
): Promise<{ order: OrderDocument; isNew: boolean }> {
  const openKey = openKeyOf(actor.id, cart)
  return inTurn(deps.db, `orders of ${actor.id}`, async () => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const known = await findOpen(deps, openKey)
      if (known) return { order: known, isNew: false }
      const openSlot = await freeSlot(deps, actor.id)
      if (openSlot === null)
        throw new DomainError('TOO_MANY_OPEN_ORDERS', { retryAfterSeconds: 60 })
      const order = await insert(deps, { userId: actor.id, openKey, openSlot }, cart)
      if (order) return { order, isNew: true }
    }
    throw new DomainError('CHANGED_MEANWHILE')
  })
}

/** One whose time is over is closed on the way. */
async function findOpen(deps: PaymentDeps, openKey: string): Promise<OrderDocument | null> {
  const order = await deps.db.orm.orders.where({ openKey }).first()
  if (!order) return null
  // At a gateway that is configured no more nobody can pay it.
  if (order.expiresAt > deps.now() && deps.gateways.has(order.gateway)) return order
  await closeNow(deps, order)
  const { status } = await requireOrder(deps, order._id)
  if (status === 'PAID' || status === 'FULFILLED') throw new DomainError('ALREADY_ENROLLED')
  return null
}

type Keys = { userId: string; openKey: string; openSlot: string }

/** Null where somebody else has taken one of the keys. */
async function insert(
  deps: Uses<'db' | 'now' | 'gateways'>,
  keys: Keys,
  cart: Cart,
): Promise<OrderDocument | null> {
  const at = deps.now()
  const expiresAt = new Date(at.getTime() + (cart.coupon ? OPEN_WITH_COUPON_MS : OPEN_MS))
  try {
    return await deps.db.orm.orders.create({
      ...keys,
      status: 'CREATED',
      currency: cart.currency,
      amountPaise: cart.amountPaise,
      discountPaise: cart.discountPaise,
      lines: cart.lines,
      couponCode: cart.coupon?.code ?? null,
      gateway: deps.gateways.forNewOrders.name,
      gatewayOrderId: null,
      paymentId: null,
      reviewReason: null,
      lateReason: null,
      refusedPayments: {},
      timeline: [entryOf(at, { event: 'created' })],
      expiresAt,
      checkedAt: at,
      dueAt: nextLook({ status: 'CREATED', createdAt: at, expiresAt }, at),
      paidAt: null,
      fulfilledAt: null,
      createdAt: at,
      updatedAt: at,
    })
  } catch (error) {
    if (isDuplicateKey(error)) return null
    throw error
  }
}
