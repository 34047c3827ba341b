import { expect } from 'vitest'
import type { LedgerPayment } from '../../sandbox/razorpay/model/ledger.ts'
import { anOrder, pay, type Opened } from './builders/orders.ts'
import { anAdmin, type Person } from './builders/people.ts'
import type { Lms } from './harness.ts'

/** Waits until every webhook that is due was delivered and worked on. */
export async function deliverWebhooks(lms: Lms): Promise<void> {
  await lms.razorpay.settle()
  await lms.deps.background.idle()
}

/**
 * Lets the server learn Razorpay's account id, as it does from the first event of a payment that is there.
 */
export async function introduceAccount(lms: Lms): Promise<void> {
  pay(lms, await anOrder(lms))
  await deliverWebhooks(lms)
}

/** The order's status in the database. */
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
      const ours = await lms.db.orm.payments.where({ gatewayPaymentId: id }).first()
      const refunds = await lms.db.orm.refunds.where({ paymentId: id }).all()
      const given = refunds
        .filter(({ status }) => status === 'PENDING' || status === 'PROCESSED')
        .reduce((sum, { amountPaise }) => sum + amountPaise, 0)
      if (captured) expect([id, ours?.amountPaise, given]).toEqual([id, amount, refunded])
    }
  }
}

/** The payment as Razorpay's own ledger has it. */
export function ledgerOf(lms: Lms, paymentId: string): LedgerPayment | undefined {
  return lms.razorpay
    .ledger()
    .orders.flatMap(({ payments }) => payments)
    .find(({ id }) => id === paymentId)
}

/** Writes a captured payment down as a server leaves it that dies right after. */
export async function writePaymentDown(lms: Lms, opened: Opened, paymentId: string): Promise<void> {
  const at = lms.clock.now()
  await lms.db.orm.payments.create({
    gateway: 'razorpay',
    gatewayPaymentId: paymentId,
    gatewayOrderId: opened.order_id,
    orderId: opened.order.id,
    status: 'captured',
    amountPaise: opened.order.amountPaise,
    feePaise: null,
    currency: 'INR',
    method: 'card',
    seenVia: 'verify',
    quarantine: null,
    review: null,
    refundKeys: [],
    refundedLines: [],
    reservedPaise: 0,
    lostPaise: null,
    madeAt: at,
    takenAt: null,
    capturedAt: at,
    turnedAt: null,
    createdAt: at,
    updatedAt: at,
  })
}
