// One rule for every door: whose access a person has ended is let in again by a person or by paying, and by no door
// for nothing.
import { beforeAll, describe, expect, it } from 'vitest'
import { grantKeyOf } from '../../src/payments/settlement/line-access.ts'
import { aCourse, aLearner, withAccessRevoked, type Taught } from '../support/builders/learning.ts'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { reasonOf, refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn } from '../support/order-checks.ts'

const DAY_MS = 24 * 60 * 60_000

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

const aFreeCourse = () => aCourse(lms, { lessons: 1, pricePaise: 0 })

let coupons = 0

/** A code that makes everything free. */
async function aFullCoupon(): Promise<string> {
  const code = `ALL-FREE-${(coupons += 1)}`
  const terms = { kind: 'PERCENT', value: 100, maxPerUser: null } as const
  await admin.api.coupons.create.mutate({ code, ...terms })
  return code
}

const orderFree = ({ api }: Person, { courseId }: Taught, couponCode?: string) =>
  api.orders.create.mutate({ courseIds: [courseId], ...(couponCode && { couponCode }) })
const inDays = (days: number) => new Date(lms.clock.now().getTime() + days * DAY_MS)

async function grantsOf({ user }: Person, { courseId }: Taught) {
  const row = await lms.db.orm.enrollments.where({ userId: user.id, courseId }).first()
  return row?.grants ?? []
}

/** Every way in that costs nothing is closed, and this student stays outside. */
async function expectBarred(student: Person, taught: Taught): Promise<void> {
  await refused(orderFree(student, taught, await aFullCoupon()), 'ACCESS_ENDED')
  const { pricePaise } = await student.api.courses.bySlug.query({ slug: taught.course.slug })
  if (pricePaise === 0) {
    await refused(student.api.enrollments.start.mutate(taught), 'ACCESS_ENDED')
    await refused(orderFree(student, taught), 'ACCESS_ENDED')
  }
  expect(await isIn(student, taught.courseId)).toBe(false)
}

describe('whose access was ended by the author', () => {
  it('is not let in again by an order for nothing', async () => {
    const free = await aFreeCourse()
    const student = await aStudent(lms)
    await student.api.enrollments.start.mutate({ courseId: free.courseId })
    await withAccessRevoked(free, student)
    await expectBarred(student, free)
    await withAccessRevoked(free, student)
    await expectSound(lms)
  })

  it('is not by a coupon, nor told a price of nothing', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const student = await aStudent(lms)
    const code = await aFullCoupon()
    await orderFree(student, taught, code)
    expect(await isIn(student, taught.courseId)).toBe(true)
    await withAccessRevoked(taught, student)
    await expectBarred(student, taught)
    const cart = { courseIds: [taught.courseId], code }
    await refused(student.api.coupons.preview.query(cart), 'ACCESS_ENDED')
  })

  it.each([0, 49_900])(
    'is not where it was a gift, of a course for %i paise',
    async (pricePaise) => {
      const taught = await aCourse(lms, { lessons: 1, pricePaise })
      const student = await aLearner(lms, taught)
      await withAccessRevoked(taught, student)
      await expectBarred(student, taught)
    },
  )

  it('is not with something that costs money in the same cart', async () => {
    const free = await aFreeCourse()
    const student = await aLearner(lms, free)
    await withAccessRevoked(free, student)
    const courseIds = [free.courseId, await aCourseId(lms)]
    const issues = await refused(student.api.orders.create.mutate({ courseIds }), 'ACCESS_ENDED')
    expect(issues).toEqual([{ path: 'courseIds', message: free.courseId }])
  })

  it('is by whoever may grant access, and then by every door again', async () => {
    const free = await aFreeCourse()
    const { courseId } = free
    for (const enter of [
      (student: Person) => student.api.enrollments.start.mutate({ courseId }),
      (student: Person) => orderFree(student, free),
    ]) {
      const student = await aStudent(lms)
      await student.api.enrollments.start.mutate({ courseId })
      await withAccessRevoked(free, student)
      const until = inDays(1)
      await free.owner.api.enrollments.grant.mutate({ courseId, userId: student.user.id, until })
      lms.clock.advance(2 * 24 * 60 * 60)
      expect(await isIn(student, courseId)).toBe(false)
      await enter(student)
      expect(await isIn(student, courseId)).toBe(true)
    }
    admin = await anAdmin(lms)
    await expectSound(lms)
  })

  it('may pay, as anybody may', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const student = await aLearner(lms, taught)
    await withAccessRevoked(taught, student)
    await aSale(lms, { buyer: student, courseIds: [taught.courseId] })
    expect(await isIn(student, taught.courseId)).toBe(true)
    const whose = { courseId: taught.courseId, userId: student.user.id }
    await refused(taught.owner.api.enrollments.revoke.mutate(whose), 'PAID_ACCESS')
    await expectSound(lms)
  })
})

describe('access that cost nothing', () => {
  it.each([0, 49_900])(
    'is ended by the author, at a list price of %i paise',
    async (pricePaise) => {
      const taught = await aCourse(lms, { lessons: 1, pricePaise })
      const student = await aStudent(lms)
      const { order } = await orderFree(student, taught, await aFullCoupon())
      expect((await grantsOf(student, taught)).map(({ kind }) => kind)).toEqual(['FREE'])
      await refused(admin.api.refunds.create.mutate({ orderId: order.id }), 'NOTHING_TO_REFUND')
      const whose = { courseId: taught.courseId, userId: student.user.id }
      const reason = 'refunded'
      const entry = await taught.owner.api.enrollments.revoke.mutate({ ...whose, reason })
      expect(entry).toMatchObject({ isActive: false })
      await refused(student.api.progress.get.query(whose), 'NOT_ENROLLED')
      await admin.api.orders.redrive.mutate({ orderId: order.id })
      expect(await isIn(student, taught.courseId)).toBe(false)
      await expectBarred(student, taught)
      await expectSound(lms)
    },
  )

  it('is ended beside what was paid for in the same order, which stays', async () => {
    const free = await aFreeCourse()
    const paidId = await aCourseId(lms)
    const { buyer } = await aSale(lms, { courseIds: [free.courseId, paidId] })
    await withAccessRevoked(free, buyer)
    expect(await isIn(buyer, free.courseId)).toBe(false)
    expect(await isIn(buyer, paidId)).toBe(true)
    await expectSound(lms)
  })

  it('comes back with the money of its order, but not after a person has ended it', async () => {
    const free = await aFreeCourse()
    const other = await aFreeCourse()
    const courseIds = [free.courseId, other.courseId, await aCourseId(lms)]
    const { buyer, order } = await aSale(lms, { courseIds })
    await withAccessRevoked(free, buyer)
    await lms.razorpay.with({ refunds: 'pending' }, () =>
      admin.api.refunds.create.mutate({ orderId: order.id }),
    )
    expect(await isIn(buyer, other.courseId)).toBe(false)
    const refund = await lms.db.orm.refunds.where({ orderId: order.id }).first()
    lms.razorpay.settleRefund(refund?.gatewayRefundId ?? '', 'failed')
    await deliverWebhooks(lms)
    expect(await isIn(buyer, other.courseId)).toBe(true)
    expect(await isIn(buyer, free.courseId)).toBe(false)
    await expectSound(lms)
  })
})

describe('ending access at the same moment as', () => {
  it('an order for nothing leaves nobody inside', async () => {
    const outcomes = new Set<string>()
    for (let round = 0; round < 5; round += 1) {
      const free = await aFreeCourse()
      const { courseId, owner } = free
      const student = await aStudent(lms)
      const whose = { courseId, userId: student.user.id }
      // Access that ends some day is no reason not to order.
      await owner.api.enrollments.grant.mutate({ ...whose, until: inDays(3) })
      const [ordered] = await Promise.all([
        orderFree(student, free).then(() => 'ordered', reasonOf),
        owner.api.enrollments.revoke.mutate(whose),
        student.api.enrollments.start.mutate({ courseId }).then(() => 'started', reasonOf),
      ])
      outcomes.add(ordered)
      await lms.work()
      expect(await isIn(student, courseId)).toBe(false)
    }
    expect([...outcomes].every((one) => one === 'ordered' || one === 'ACCESS_ENDED')).toBe(true)
    await expectSound(lms)
  })

  it('a fulfillment that was stopped half-way is not undone when that goes on', async () => {
    const free = await aFreeCourse()
    const { courseId, owner } = free
    const student = await aStudent(lms)
    const whose = { courseId, userId: student.user.id }
    const { order } = await orderFree(student, free)
    // As a process leaves it that dies between paying and granting.
    const paid = { status: 'PAID', fulfilledAt: null, timeline: [] } as const
    await lms.db.orm.orders.where({ _id: order.id }).update(paid)
    await lms.db.orm.enrollments.where(whose).update({ grants: [] })
    await owner.api.enrollments.revoke.mutate(whose)
    lms.clock.advance(120)
    await lms.work()
    const stored = await lms.db.orm.orders.where({ _id: order.id }).first()
    expect(stored?.status).toBe('FULFILLED')
    expect(await isIn(student, courseId)).toBe(false)
    await expectSound(lms)
  })

  it('a payment leaves in who has paid', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const student = await aLearner(lms, taught)
    const whose = { courseId: taught.courseId, userId: student.user.id }
    const until = inDays(3)
    await taught.owner.api.enrollments.revoke.mutate(whose)
    await taught.owner.api.enrollments.grant.mutate({ ...whose, until })
    const opened = await anOrder(lms, { buyer: student, courseIds: [taught.courseId] })
    const paid = pay(lms, opened)
    await Promise.all([
      student.api.orders.verify.mutate(paid),
      taught.owner.api.enrollments.revoke.mutate(whose).catch(reasonOf),
    ])
    await deliverWebhooks(lms)
    expect(await isIn(student, taught.courseId)).toBe(true)
    await expectSound(lms)
  })
})

describe('the invariants', () => {
  it('tell when somebody was let in for nothing after all', async () => {
    const free = await aFreeCourse()
    const { courseId } = free
    const student = await aStudent(lms)
    const { order } = await orderFree(student, free)
    await withAccessRevoked(free, student)
    const key = grantKeyOf(order.id, 1)
    const revive = (kind: string) =>
      lms.db.driver
        .collection('enrollments')
        .updateOne(
          { 'grants.key': key },
          { $set: { 'grants.0.revokedAt': null, 'grants.0.kind': kind } },
        )
    const details = async () => {
      const found = await admin.api.admin.invariants.query({ graceSeconds: 0 })
      return found.filter(({ subject }) => subject.includes(courseId)).map(({ detail }) => detail)
    }
    await revive('FREE')
    expect(await details()).toEqual([`grant ${key} is live, and access was ended by a person`])
    await revive('PAID')
    expect(await details()).toEqual(['is PAID, and its line cost 0 paise'])
  })
})
