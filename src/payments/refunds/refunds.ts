import { createHash } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../../audit.ts'
import type { Actor } from '../../auth/sessions.ts'
import { requireRecentPassword } from '../../auth/step-up.ts'
import type { Uses } from '../../deps.ts'
import { DomainError, refuseInput } from '../../errors.ts'
import { Id, line, MAX_LINES, OrderTotal, orNamed, Page, type PageOf } from '../../fields.ts'
import { isOpenDispute } from '../../orders/disputed.ts'
import { linesOf, requireOrder, type OrderDocument } from '../../orders/order.ts'
import { publicRefund, type Refund, type RefundDocument } from '../../orders/refunded.ts'
import { readPage } from '../../paging.ts'
import { gatewayOf, type RefundDeps } from '../deps.ts'
import { leftPaise } from '../record/amounts.ts'
import { type PaymentDocument, findPayment } from '../record/payments.ts'
import { driveRefund, MORE_THAN_LEFT, OPENED_MEANWHILE } from './drive.ts'
import { leastRefundOf, openRefund, type NewRefund } from './open.ts'

// Strict: a line with an amount of its own must not be taken for the whole line.
const LineOfCourse = z.strictObject({ courseId: Id }).transform(({ courseId }) => courseId)

// Strict as well: an amount under a name we do not know would refund the whole order.
const RefundTerms = z
  .strictObject({
    orderId: Id,
    lines: z
      .array(z.union([z.int().min(1), Id, LineOfCourse]))
      .min(1)
      .max(MAX_LINES)
      .optional(),
    amountPaise: OrderTotal.min(1).optional(),
    /** Another payment of the order than the one that paid it: one set aside. */
    paymentId: z
      .string()
      .regex(/^[\w.:-]{1,100}$/, 'is not a payment id')
      .optional(),
    reason: line(1, 200).optional(),
    /** Sent again after a lost answer, the same key is the same refund. */
    idempotencyKey: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/, 'is not an idempotency key')
      .optional(),
  })
  .refine(({ lines, amountPaise }) => lines === undefined || amountPaise === undefined, {
    error: 'goes with lines or with amountPaise, not with both',
    path: ['amountPaise'],
  })

/** Nothing but the order: all that is left of it. `lines` are line numbers or course ids. */
export const RefundRequest = orNamed(RefundTerms, 'idempotencyKey', 'key')
export type RefundRequest = z.infer<typeof RefundRequest>

export const RefundsPage = Page.extend({
  orderId: Id.optional(),
  status: z.enum(['REQUESTED', 'PENDING', 'PROCESSED', 'FAILED']).optional(),
}).prefault({})
export type RefundsPage = z.infer<typeof RefundsPage>

/**
 * Gives money back on an administrator's word, who must have proved the password lately. Throws PASSWORD_NEEDED,
 * NOT_FOUND, NOTHING_TO_REFUND, INVALID_INPUT, KEY_REUSED, REFUND_DISPUTED, REFUND_TOO_LARGE, AMOUNT_TOO_SMALL and
 * REFUND_REFUSED; a gateway that does not answer leaves the refund REQUESTED.
 */
export async function createRefund(
  deps: Audited & Uses<'gateways' | 'log'>,
  actor: Actor,
  input: RefundRequest,
): Promise<Refund> {
  requireRecentPassword(deps, actor)
  const order = await requireOrder(deps, input.orderId)
  const key = await keyOf(deps, input)
  const known = await deps.db.orm.refunds.where({ key }).first()
  const payment = await requireRefundable(deps, order, input.paymentId ?? order.paymentId)
  requireEnough(deps, payment, input)
  const share = shareOf(order, payment, input)
  const intent = intentOf(payment, input, share)
  // Asked again, the amount left is another one: the first answer stands.
  if (known && known.intent !== intent) throw new DomainError('KEY_REUSED')
  if (known) return publicRefund(known)
  const { amountPaise } = share
  await audit(deps, {
    actor,
    act: 'refunds.requested',
    target: `order:${order._id}`,
    after: { paymentId: payment.gatewayPaymentId, amountPaise, lines: share.lineNos },
  })
  return openAndDriveRefund(deps, payment, {
    key,
    intent,
    gateway: payment.gateway,
    orderId: order._id,
    paymentId: payment.gatewayPaymentId,
    currency: payment.currency,
    ...share,
    cause: 'admin',
    reason: input.reason ?? 'refunded by an administrator',
    requestedBy: actor.id,
  })
}

function requireEnough(
  deps: Uses<'gateways'>,
  payment: PaymentDocument,
  { amountPaise }: RefundRequest,
): void {
  const least = leastRefundOf(gatewayOf(deps, payment), payment.currency)
  if (amountPaise !== undefined && amountPaise < least)
    refuseInput('amountPaise', `must be at least ${least}`)
}

type Share = { amountPaise: number; lineNos: number[] }

/** What a key stands for: all that is left of a payment, an amount of it, or lines however they were named. */
function intentOf(
  { gatewayPaymentId }: PaymentDocument,
  { amountPaise, lines }: RefundRequest,
  { lineNos }: Share,
): string {
  const which = [gatewayPaymentId, amountPaise ?? null, lines === undefined ? null : lineNos]
  return createHash('sha256').update(JSON.stringify(which)).digest('hex').slice(0, 32)
}

// Without a key of the caller's, the same request is the same refund, until it has failed.
async function keyOf({ db }: Uses<'db'>, input: RefundRequest): Promise<string> {
  const { orderId, idempotencyKey, ...asked } = input
  const failed = await db.orm.refunds.where({ orderId, status: 'FAILED' }).select('_id').all()
  const intent = idempotencyKey ?? JSON.stringify([asked, failed.length])
  const digest = createHash('sha256').update(intent).digest('hex').slice(0, 11)
  return `adm-${orderId}-${digest}`
}

async function requireRefundable(
  { db }: Uses<'db'>,
  order: OrderDocument,
  paymentId: string | null | undefined,
): Promise<PaymentDocument> {
  if (!paymentId) throw new DomainError('NOTHING_TO_REFUND')
  const payment = await findPayment({ db }, paymentId)
  if (payment?.orderId !== order._id) throw new DomainError('NOT_FOUND')
  return payment
}

function shareOf(order: OrderDocument, payment: PaymentDocument, input: RefundRequest): Share {
  const left = leftPaise(payment)
  const lines = order.paymentId === payment.gatewayPaymentId ? linesOf(order) : []
  if (input.amountPaise !== undefined) return { amountPaise: input.amountPaise, lineNos: [] }
  if (input.lines === undefined) {
    const open = lines.filter(({ no }) => !payment.refundedLines.includes(String(no)))
    return { amountPaise: left, lineNos: open.map(({ no }) => no) }
  }
  const chosen = lines.filter(
    ({ no, courseId }) => input.lines?.includes(no) === true || input.lines?.includes(courseId),
  )
  if (chosen.length < new Set(input.lines).size) throw new DomainError('NOT_FOUND')
  return {
    amountPaise: chosen.reduce((sum, { amountPaise }) => sum + amountPaise, 0),
    lineNos: chosen.map(({ no }) => no),
  }
}

/** Refuses early and clearly what would be refused; the reservation decides between those who come at once. */
export async function openAndDriveRefund(
  deps: RefundDeps,
  payment: PaymentDocument,
  asked: NewRefund,
): Promise<Refund> {
  const disputes = await deps.db.orm.disputes.where({ paymentId: asked.paymentId }).all()
  const left = leftPaise(payment)
  const isLost = left <= 0 && disputes.some(({ status }) => status === 'lost')
  if (isLost || disputes.some(({ status }) => isOpenDispute(status)))
    throw new DomainError('REFUND_DISPUTED')
  const isCaptured = payment.status === 'captured' || payment.status === 'refunded'
  if (!isCaptured || left <= 0) throw new DomainError('NOTHING_TO_REFUND')
  const isTwice = asked.lineNos.some((no) => payment.refundedLines.includes(String(no)))
  if (isTwice || asked.amountPaise > left) throw new DomainError('REFUND_TOO_LARGE')
  if (asked.amountPaise < leastRefundOf(gatewayOf(deps, payment), payment.currency))
    throw new DomainError('AMOUNT_TOO_SMALL')
  const opened = await openRefund(deps, asked)
  await driveRefund(deps, opened._id)
  const refund = await deps.db.orm.refunds.where({ _id: opened._id }).first()
  if (refund?.status === 'FAILED' && !refund.gatewayRefundId) throw refusalOf(refund)
  return publicRefund(refund ?? opened)
}

function refusalOf({ error }: RefundDocument): DomainError {
  if (error === MORE_THAN_LEFT) return new DomainError('REFUND_TOO_LARGE')
  if (error === OPENED_MEANWHILE) return new DomainError('REFUND_TOO_MUCH_WATCHED')
  const issues = [{ path: 'orderId', message: error ?? 'was refused without a reason' }]
  return new DomainError('REFUND_REFUSED', { issues })
}

/** Refunds, newest first, for administrators. */
export async function listRefunds(
  { db }: Uses<'db'>,
  { orderId, status, cursor, limit }: RefundsPage,
): Promise<PageOf<Refund>> {
  let list = db.orm.refunds.where(MongoFieldFilter.gte('attempts', 0))
  if (orderId !== undefined) list = list.where({ orderId })
  if (status !== undefined) list = list.where({ status })
  const { items, nextCursor } = await readPage(list, { cursor, limit })
  return { items: items.map(publicRefund), nextCursor }
}
