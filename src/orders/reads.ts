import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { Id, orNamed, Page, type PageOf } from '../fields.ts'
import { readPage } from '../paging.ts'
import { toldToBuyer } from './buyer-words.ts'
import {
  publicOrder,
  requireOwnOrder,
  showOrderDetails,
  type Order,
  type OrderDetails,
  type OrderDocument,
} from './order.ts'

export const OrderRef = orNamed(z.object({ orderId: Id }), 'orderId', 'id')
export type OrderRef = z.infer<typeof OrderRef>

const Status = z.enum(['CREATED', 'PAID', 'FULFILLED', 'EXPIRED', 'REVIEW'])

const OrdersOf = Page.extend({ status: Status.optional() })

export const MyOrders = OrdersOf.prefault({})
export type MyOrders = z.infer<typeof MyOrders>

export const OrdersPage = OrdersOf.extend({ userId: Id.optional() }).prefault({})
export type OrdersPage = z.infer<typeof OrdersPage>

export type SoldOrder = Order & { userId: string }

/** The actor's orders, newest first. */
export async function listMyOrders(
  deps: Uses<'db'>,
  actor: Actor,
  page: MyOrders,
): Promise<PageOf<Order>> {
  const { items, nextCursor } = await listOrders(deps, { ...page, userId: actor.id })
  return { items: items.map(({ userId: _, ...order }) => order), nextCursor }
}

/** One's own order; administrators see anyone's. Throws NOT_FOUND. */
export async function getOrder(
  deps: Uses<'db'>,
  actor: Actor,
  { orderId }: OrderRef,
): Promise<OrderDetails> {
  if (actor.role === 'ADMIN') return showOrderDetails(deps, orderId)
  await requireOwnOrder(deps, actor, orderId)
  return toldToBuyer(await showOrderDetails(deps, orderId))
}

/** Everybody's orders, newest first, for administrators. */
export async function listOrders(
  { db }: Uses<'db'>,
  { status, userId, cursor, limit }: OrdersPage,
): Promise<PageOf<SoldOrder>> {
  let list = db.orm.orders.where(MongoFieldFilter.gte('amountPaise', 0))
  if (userId !== undefined) list = list.where({ userId })
  if (status !== undefined) list = list.where({ status })
  const { items, nextCursor } = await readPage(list, { cursor, limit })
  return { items: await withRefunds({ db }, items), nextCursor }
}

/** The same orders in the same order, each with what was given back of it; one statement for all. */
export async function withRefunds(
  { db }: Uses<'db'>,
  orders: OrderDocument[],
): Promise<SoldOrder[]> {
  if (orders.length === 0) return []
  const ids = orders.map(({ _id }) => _id)
  const refunds = await db.orm.refunds.where(MongoFieldFilter.in('orderId', ids)).all()
  return orders.map((order) => ({
    ...publicOrder(
      order,
      refunds.filter(({ orderId }) => orderId === order._id),
    ),
    userId: order.userId,
  }))
}
