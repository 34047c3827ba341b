import { MongoClient, ObjectId, type Document } from 'mongodb'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { databaseUrl } from '../../sandbox/mongo/start.ts'

// What is asked at every payment, page or sweep must not grow with the shop.
const AT = new Date()
const NEWEST = { createdAt: -1, _id: -1 } as const
const NEWEST_ISSUED = { issuedAt: -1, _id: -1 } as const
const QUERIES: [string, string, Document, Document?][] = [
  ['an order by Razorpay’s', 'orders', { gatewayOrderId: 'order_x' }],
  ['an open order by its cart', 'orders', { openKey: 'x' }],
  ['orders that are due', 'orders', { status: 'CREATED', dueAt: { $lte: AT } }, { dueAt: 1 }],
  ['orders that are half-way', 'orders', { status: 'PAID' }, { checkedAt: 1 }],
  ['the open orders of an account', 'orders', { openSlot: { $in: ['x:0', 'x:1'] } }],
  ['orders by status', 'orders', { status: 'FULFILLED' }, NEWEST],
  ['all orders', 'orders', { amountPaise: { $gte: 0 } }, NEWEST],
  ['one’s own orders', 'orders', { userId: new ObjectId() }, NEWEST],
  ['a refund by Razorpay’s', 'refunds', { gatewayRefundId: 'rfnd_x' }],
  ['refunds that are due', 'refunds', { settledAt: null, nextAt: { $lte: AT } }, { nextAt: 1 }],
  ['refunds that failed', 'refunds', { status: 'FAILED' }, NEWEST],
  ['all refunds', 'refunds', { attempts: { $gte: 0 } }, NEWEST],
  ['stray payments', 'payments', { status: 'captured', quarantine: { $gte: '' } }],
  ['one’s own invoices', 'invoices', { userId: new ObjectId() }, NEWEST_ISSUED],
  ['all invoices', 'invoices', { serial: { $gte: 0 } }, NEWEST_ISSUED],
  ['an invoice by its order', 'invoices', { orderId: 'x' }],
  ['one’s own credit notes', 'credit_notes', { userId: new ObjectId() }, NEWEST_ISSUED],
  ['credit notes of an order', 'credit_notes', { orderId: 'x' }],
  ['the credit note of a refund', 'credit_notes', { refundId: 'x' }],
  ['the last number of a year', 'credit_notes', { series: '26-27' }, { serial: -1 }],
  ['events that wait', 'webhook_events', { state: 'WAITING', nextAt: { $lte: AT } }, { nextAt: 1 }],
  ['coupons that are held', 'coupon_uses', { state: 'HELD', createdAt: { $lte: AT } }],
  ['mails that wait', 'outbox_mails', { state: 'WAITING', nextAt: { $lte: AT } }, { nextAt: 1 }],
  ['a session', 'sessions', { tokenHash: 'x' }],
  ['the catalogue', 'courses', { status: 'PUBLISHED' }, { publishedAt: -1, _id: -1 }],
  ['a category', 'courses', { status: 'PUBLISHED', category: 'x' }, { publishedAt: -1, _id: -1 }],
  ['one’s own courses', 'courses', { ownerId: new ObjectId() }, NEWEST],
  ['a roster', 'enrollments', { courseId: new ObjectId() }, NEWEST],
  ['reviews of a course', 'reviews', { courseId: new ObjectId() }, NEWEST],
]

let client: MongoClient
beforeAll(async () => {
  const url = databaseUrl(inject('mongoUrl'), `test-indexes-${process.pid}`)
  await applyContract(url)
  client = new MongoClient(url)
})
afterAll(async () => {
  await client.close()
})

test.each(QUERIES)(
  '%s: found by an index, in its order',
  async (_what, collection, filter, sort) => {
    const { queryPlanner } = await client
      .db()
      .collection(collection)
      .find(filter)
      .sort(sort ?? {})
      .explain('queryPlanner')
    const stages = stagesOf((queryPlanner as { winningPlan: Stage }).winningPlan)
    expect(stages).not.toContain('COLLSCAN')
    expect(stages).not.toContain('SORT')
  },
)

type Stage = { stage: string; inputStage?: Stage; inputStages?: Stage[] }

function stagesOf({ stage, inputStage, inputStages = [] }: Stage): string[] {
  const under = inputStage ? [inputStage, ...inputStages] : inputStages
  return [stage, ...under.flatMap(stagesOf)]
}
