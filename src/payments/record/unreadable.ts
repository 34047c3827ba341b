// What a gateway has and we cannot read is set aside by itself, where administrators see it, and looked at again
// until it can be read. Nothing of its content is kept.
import { createHash } from 'node:crypto'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { GatewayFailure, type UnreadableEntity } from '../../gateways/gateway-failure.ts'

type Needs = Uses<'db' | 'now' | 'log'>

/** `payment pay_… cannot be read`: how the event that named it ends, too. */
export function unreadableWords({ kind, id }: { kind: string; id: string | null }): string {
  return `${kind} ${id ?? 'without an id'} cannot be read`
}

/** As `unreadableWords` of all that an event named. */
export const inWords = (words: readonly string[]): string => words.join('; ')

/** Whether each thing that these words name has been read since; not where one has no id to look for. */
export async function isReadSince(
  { db }: Uses<'db'>,
  gateway: string,
  words: string,
): Promise<boolean> {
  for (const part of words.split('; ')) {
    const [, kind, id] = /^(\S+) (\S+) cannot be read$/.exec(part) ?? []
    if (kind === undefined || id === undefined) return false
    const row = await db.orm.unreadable_entities.where({ key: keyOf(gateway, kind, id) }).first()
    if (!row?.readAt) return false
  }
  return true
}

const keyOf = (gateway: string, kind: string, id: string): string => `${gateway}:${kind}:${id}`

/** Written down once, and again after it had been read; `orderId` is our order's, where the asker knows. */
export async function setAsideUnreadable(
  deps: Needs,
  entity: UnreadableEntity,
  orderId: string | null = null,
): Promise<void> {
  const { gateway, kind, id: entityId, orderId: gatewayOrderId, paymentId, reason } = entity
  const key = keyOf(gateway, kind, entityId ?? digestOf(entity))
  const at = deps.now()
  const whose = orderId ?? (await findOrderId(deps, entity))
  const known = deps.db.orm.unreadable_entities.where({ key })
  try {
    await deps.db.orm.unreadable_entities.create({
      ...{ key, gateway, kind, entityId, gatewayOrderId, paymentId, reason },
      ...{ orderId: whose, readAt: null, createdAt: at, updatedAt: at },
    })
    deps.log.warn({ key, reason }, 'set aside: it cannot be read')
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
    await known.update({ reason, readAt: null, ...(whose !== null && { orderId: whose }) })
  }
}

/** Every one of a list. */
export async function setAsideAll(
  deps: Needs,
  unreadable: readonly UnreadableEntity[],
  orderId: string | null = null,
): Promise<void> {
  for (const entity of unreadable) await setAsideUnreadable(deps, entity, orderId)
}

/** Runs it, and sets aside what it could not read, before it fails. */
export async function settingAside<T>(
  deps: Needs,
  orderId: string | null,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    if (failure instanceof GatewayFailure && failure.unreadable)
      await setAsideUnreadable(deps, failure.unreadable, orderId)
    throw failure
  }
}

function digestOf({ orderId, paymentId, reason }: UnreadableEntity): string {
  return createHash('sha256')
    .update(JSON.stringify([orderId, paymentId, reason]))
    .digest('hex')
}

/** Our order, where its ids lead to one that is linked. */
async function findOrderId(
  { db }: Uses<'db'>,
  { gateway, orderId: gatewayOrderId, paymentId }: UnreadableEntity,
): Promise<string | null> {
  if (gatewayOrderId !== null) {
    const order = await db.orm.orders.where({ gateway, gatewayOrderId }).select('_id').first()
    if (order) return order._id
  }
  if (paymentId === null) return null
  const payment = await db.orm.payments.where({ gatewayPaymentId: paymentId }).first()
  return payment?.orderId ?? null
}
