import { beforeAll, describe, expect, it } from 'vitest'
import { findCourse } from '../../src/courses/course.ts'
import { aVerified } from '../support/builders/auth.ts'
import { aCourse } from '../support/builders/learning.ts'
import { aSale, aSaleOfTwo, lineOf } from '../support/builders/orders.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('a buyer who wants the money back', () => {
  it('gets it within the days of the course, for one of its courses', async () => {
    const sale = await aSaleOfTwo(lms)
    const { courseId } = lineOf(sale, 20_000)
    const { api } = sale.buyer
    const refund = await api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    expect(refund).toMatchObject({ amountPaise: 20_000, cause: 'student' })
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    expect(await isIn(sale.buyer, lineOf(sale, 30_000).courseId)).toBe(true)
    await expectSound(lms)
  })

  it('proves the password for it, and it is written down', async () => {
    const sale = await aSale(lms)
    const { api, user, password } = sale.buyer
    const input = { orderId: sale.order.id, courseId: sale.courseIds[0] ?? '' }
    const entries = () =>
      lms.db.orm.audit_entries.where({ target: `order:${sale.order.id}`, actorId: user.id }).all()
    const before = (await entries()).length
    lms.clock.advance(10 * 60 + 1)
    await refused(api.orders.requestRefund.mutate(input), 'PASSWORD_NEEDED')
    expect(await entries()).toHaveLength(before)
    await api.auth.confirmPassword.mutate({ password })
    await api.orders.requestRefund.mutate(input)
    const acts = (await entries()).map(({ act }) => act)
    expect(acts.filter((act) => act === 'refunds.requested')).toHaveLength(1)
    await deliverWebhooks(lms)
  })

  it('does not once the days are over', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const { api, password } = sale.buyer
    lms.clock.advance(7 * 24 * 60 * 60 + 1)
    await api.auth.confirmPassword.mutate({ password })
    const call = api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await refused(call, 'REFUND_WINDOW_OVER')
  })

  it('does not after having done more than thirty per cent', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const course = await lms.db.orm.courses.where({ _id: courseId }).first()
    const lessonId = course?.sections[0]?.lessons[0]?.id ?? ''
    await sale.buyer.api.progress.complete.mutate({ courseId, lessonId })
    const call = sale.buyer.api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await refused(call, 'REFUND_TOO_MUCH_WATCHED')
    expect(await isIn(sale.buyer, courseId)).toBe(true)
  })

  it('does not by opening again what was done', async () => {
    const taught = await aCourse(lms, { lessons: 3 })
    const { courseId, lessonIds } = taught
    const sale = await aSale(lms, { courseIds: [courseId] })
    const { api } = sale.buyer
    for (const lessonId of lessonIds) await api.progress.complete.mutate({ courseId, lessonId })
    for (const lessonId of lessonIds) await api.progress.reopen.mutate({ courseId, lessonId })
    for (const lessonId of lessonIds) await api.progress.reopen.mutate({ courseId, lessonId })
    expect(await api.progress.get.query({ courseId })).toMatchObject({ completed: 0 })
    const call = api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await refused(call, 'REFUND_TOO_MUCH_WATCHED')
  })

  it('does not after having watched without marking anything', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const course = await findCourse(lms.db, { _id: courseId })
    const sections = (course?.sections ?? []).map((section) => ({
      ...section,
      lessons: section.lessons.map((lesson) => ({ ...lesson, durationSeconds: 100 })),
    }))
    await lms.db.orm.courses.where({ _id: courseId }).update({ sections })
    const lessonId = sections[0]?.lessons[0]?.id ?? ''
    const { api } = sale.buyer
    await api.progress.position.mutate({ courseId, lessonId, seconds: 90 })
    const call = () => api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await refused(call(), 'REFUND_TOO_MUCH_WATCHED')
    await api.progress.position.mutate({ courseId, lessonId, seconds: 89 })
    expect(await call()).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
  })

  it('may have done as much as the course says, but not hold its certificate', async () => {
    const { courseId, lessonId, owner } = await aCourse(lms, { lessons: 1 })
    await owner.api.courses.update.mutate({ id: courseId, refundMaxPercent: 100 })
    const sale = await aSale(lms, { courseIds: [courseId], buyer: await aVerified(lms) })
    const { api } = sale.buyer
    await api.progress.complete.mutate({ courseId, lessonId })
    const call = () => api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await api.certificates.claim.mutate({ courseId })
    await refused(call(), 'REFUND_TOO_MUCH_WATCHED')
    await lms.db.orm.certificates.where({ courseId }).deleteAndCount()
    expect(await call()).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it("does not get another's", async () => {
    const sale = await aSale(lms)
    const thief = await aStudent(lms)
    const input = { orderId: sale.order.id, courseId: sale.courseIds[0] ?? '' }
    await refused(thief.api.orders.requestRefund.mutate(input), 'NOT_FOUND')
  })
})
