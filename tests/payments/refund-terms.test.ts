import { beforeAll, describe, expect, it } from 'vitest'
import { aCourse, type Taught } from '../support/builders/learning.ts'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound } from '../support/order-checks.ts'

const DAY = 24 * 60 * 60

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const askBack = ({ api }: Person, orderId: string, courseId: string) =>
  api.orders.requestRefund.mutate({ orderId, courseId })

/** Takes all but the first lesson out of the course. */
async function withLessonsRemoved({ owner, courseId, lessonIds }: Taught): Promise<void> {
  for (const lessonId of lessonIds.slice(1))
    await owner.api.courses.removeLesson.mutate({ courseId, lessonId })
}

async function withLessonsAdded({ owner, courseId, sectionId }: Taught, count: number) {
  const added: string[] = []
  for (let n = 0; n < count; n += 1) {
    const lesson = {
      courseId,
      sectionId,
      title: 'More',
      kind: 'TEXT',
      body: '<p>More.</p>',
    } as const
    added.push((await owner.api.courses.addLesson.mutate(lesson)).id)
  }
  return added
}

describe('the terms of a sale', () => {
  it('are shown with the order, from the cart on', async () => {
    const { courseId, owner } = await aCourse(lms, { lessons: 3 })
    await owner.api.courses.update.mutate({ id: courseId, refundDays: 5, refundMaxPercent: 40 })
    const admin = await anAdmin(lms)
    await admin.api.coupons.create.mutate({ code: 'TERMS', kind: 'FIXED', value: 100 })
    const buyer = await aStudent(lms)
    const terms = { refundDays: 5, refundMaxPercent: 40, lessonCount: 3 }
    const cart = { courseIds: [courseId], code: 'TERMS' }
    expect((await buyer.api.coupons.preview.query(cart)).lines).toMatchObject([terms])
    const opened = await anOrder(lms, { buyer, courseIds: [courseId] })
    expect(opened.order.lines).toMatchObject([{ ...terms, refundUntil: null }])
    pay(lms, opened)
    await deliverWebhooks(lms)
    const { lines, paidAt } = await buyer.api.orders.get.query({ orderId: opened.order.id })
    const refundUntil = new Date((paidAt?.getTime() ?? 0) + 5 * DAY * 1000)
    expect(lines).toMatchObject([{ ...terms, refundUntil }])
  })

  it('stay what they were when the author takes the days away', async () => {
    const { courseId, owner } = await aCourse(lms, { lessons: 2 })
    const sale = await aSale(lms, { courseIds: [courseId] })
    await owner.api.courses.update.mutate({ id: courseId, refundDays: 0, refundMaxPercent: 0 })
    lms.clock.advance(60)
    expect(await askBack(sale.buyer, sale.order.id, courseId)).toMatchObject({
      status: 'PROCESSED',
    })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('give nobody more days than were sold', async () => {
    const { courseId, owner } = await aCourse(lms, { lessons: 2 })
    await owner.api.courses.update.mutate({ id: courseId, refundDays: 1 })
    const sale = await aSale(lms, { courseIds: [courseId] })
    await owner.api.courses.update.mutate({ id: courseId, refundDays: 60 })
    lms.clock.advance(DAY + 1)
    await sale.buyer.api.auth.confirmPassword.mutate({ password: sale.buyer.password })
    await refused(askBack(sale.buyer, sale.order.id, courseId), 'REFUND_WINDOW_OVER')
  })

  it('count the lessons that were sold, when some are removed', async () => {
    const taught = await aCourse(lms, { lessons: 4 })
    const { courseId, lessonIds } = taught
    const sale = await aSale(lms, { courseIds: [courseId] })
    const { buyer } = sale
    await buyer.api.lessons.open.query({ courseId, lessonId: lessonIds[0] ?? '' })
    await withLessonsRemoved(taught)
    expect(await askBack(buyer, sale.order.id, courseId)).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
  })

  it('count what was had of lessons that are gone', async () => {
    const taught = await aCourse(lms, { lessons: 4 })
    const { courseId, lessonIds } = taught
    const { buyer, order } = await aSale(lms, { courseIds: [courseId] })
    for (const lessonId of lessonIds.slice(1, 3))
      await buyer.api.lessons.open.query({ courseId, lessonId })
    await withLessonsRemoved(taught)
    await refused(askBack(buyer, order.id, courseId), 'REFUND_TOO_MUCH_WATCHED')
  })

  it('do not count lessons that were added', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    const { courseId } = taught
    const { buyer, order } = await aSale(lms, { courseIds: [courseId] })
    lms.clock.advance(1)
    const added = await withLessonsAdded(taught, 3)
    for (const lessonId of added) await buyer.api.lessons.open.query({ courseId, lessonId })
    await taught.owner.api.courses.removeLesson.mutate({ courseId, lessonId: added[0] ?? '' })
    expect(await askBack(buyer, order.id, courseId)).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
  })

  it('are given back to nobody by lessons that were added', async () => {
    const taught = await aCourse(lms, { lessons: 3 })
    const { courseId, lessonIds } = taught
    const { buyer, order } = await aSale(lms, { courseIds: [courseId] })
    await buyer.api.lessons.open.query({ courseId, lessonId: lessonIds[0] ?? '' })
    lms.clock.advance(1)
    await withLessonsAdded(taught, 9)
    await refused(askBack(buyer, order.id, courseId), 'REFUND_TOO_MUCH_WATCHED')
  })

  it('that no longer stand make another order', async () => {
    const { courseId, owner } = await aCourse(lms, { lessons: 1 })
    const buyer = await aStudent(lms)
    const cart = { buyer, courseIds: [courseId] }
    const first = await anOrder(lms, cart)
    expect((await anOrder(lms, cart)).order.id).toBe(first.order.id)
    await owner.api.courses.update.mutate({ id: courseId, refundDays: 30 })
    const second = await anOrder(lms, cart)
    expect(second.order.id).not.toBe(first.order.id)
    expect(second.order.lines).toMatchObject([{ refundDays: 30 }])
  })
})
