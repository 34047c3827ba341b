import { beforeAll, describe, expect, it } from 'vitest'
import { aCourse, aFilmedCourse, aQuizCourse, type Taught } from '../support/builders/learning.ts'
import { aSale, type Sale } from '../support/builders/orders.ts'
import { reasonOf, refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn, ledgerOf } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const askBack = ({ buyer, order, courseIds }: Sale) =>
  buyer.api.orders.requestRefund.mutate({ orderId: order.id, courseId: courseIds[0] ?? '' })
const open = ({ buyer, courseIds }: Sale, lessonId = '') =>
  buyer.api.lessons.open.query({ courseId: courseIds[0] ?? '', lessonId })

const aSaleOf = ({ courseId }: Taught) => aSale(lms, { courseIds: [courseId] })

describe('what a buyer has had of a course', () => {
  it('is what was handed out, marked or not', async () => {
    const taught = await aCourse(lms, { lessons: 5 })
    const sale = await aSaleOf(taught)
    await open(sale, taught.lessonIds[0])
    for (const lessonId of taught.lessonIds) await open(sale, lessonId)
    await refused(askBack(sale), 'REFUND_TOO_MUCH_WATCHED')
    expect(await isIn(sale.buyer, taught.courseId)).toBe(true)
  })

  it('is what was handed out before it was marked as not done', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    const sale = await aSaleOf(taught)
    const ref = { courseId: taught.courseId, lessonId: taught.lessonIds[0] ?? '' }
    await open(sale, ref.lessonId)
    await sale.buyer.api.progress.reopen.mutate(ref)
    await refused(askBack(sale), 'REFUND_TOO_MUCH_WATCHED')
  })

  it.each(['videoId', 'fileId'] as const)('is a link that was given (%s)', async (which) => {
    const filmed = await aFilmedCourse(lms)
    await filmed.owner.api.courses.removeLesson.mutate({
      courseId: filmed.courseId,
      lessonId: filmed.trailerId,
    })
    const sale = await aSaleOf(filmed)
    await open(sale, filmed[which])
    await refused(askBack(sale), 'REFUND_TOO_MUCH_WATCHED')
  })

  it('is no preview', async () => {
    const filmed = await aFilmedCourse(lms)
    const sale = await aSaleOf(filmed)
    await open(sale, filmed.trailerId)
    await sale.buyer.api.progress.complete.mutate({
      courseId: filmed.courseId,
      lessonId: filmed.trailerId,
    })
    await open(sale, filmed.fileId)
    expect(await askBack(sale)).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
  })

  it('is the questions of a quiz: those that are read, and those that come with an attempt', async () => {
    const untimed = await aQuizCourse(lms)
    const read = await aSaleOf(untimed)
    await open(read, untimed.quizId)
    await refused(askBack(read), 'REFUND_TOO_MUCH_WATCHED')
    const timed = await aQuizCourse(lms, { timeLimitSeconds: 600 })
    const sale = await aSaleOf(timed)
    await open(sale, timed.quizId)
    const progress = lms.db.orm.lesson_progress.where({ userId: sale.buyer.user.id })
    expect(await progress.all()).toEqual([])
    await sale.buyer.api.quizzes.start.mutate(timed.ref)
    await refused(askBack(sale), 'REFUND_TOO_MUCH_WATCHED')
  })

  it('is nothing where nothing could be handed out', async () => {
    const filmed = await aFilmedCourse(lms)
    const sale = await aSaleOf(filmed)
    await lms.db.driver.collection('media').updateMany({}, { $set: { state: 'PENDING' } })
    await refused(open(sale, filmed.videoId), 'MEDIA_NOT_READY')
    await lms.db.driver.collection('media').updateMany({}, { $set: { state: 'READY' } })
    expect(await lms.db.orm.lesson_progress.where({ userId: sale.buyer.user.id }).all()).toEqual([])
  })

  it('is noted once, however often and in however many tabs a lesson is opened', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const sale = await aSaleOf(taught)
    const rows = () => lms.db.orm.lesson_progress.where({ userId: sale.buyer.user.id }).all()
    await Promise.all(Array.from({ length: 12 }, () => open(sale, taught.lessonIds[0])))
    const [first, ...others] = await rows()
    expect(others).toEqual([])
    lms.clock.advance(60)
    await open(sale, taught.lessonIds[0])
    expect(await rows()).toEqual([first])
  })
})

describe('having the money back', () => {
  it('is done once for a course, and after that the shop is asked', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    const first = await aSaleOf(taught)
    await askBack(first)
    await deliverWebhooks(lms)
    const again = await aSale(lms, { buyer: first.buyer, courseIds: [taught.courseId] })
    await refused(askBack(again), 'NO_SELF_REFUND_LEFT')
    expect(await isIn(first.buyer, taught.courseId)).toBe(true)
    expect(ledgerOf(lms, again.paymentId)?.refunded).toBe(0)
    const other = await aCourse(lms, { lessons: 2 })
    const another = await aSale(lms, { buyer: first.buyer, courseIds: [other.courseId] })
    expect(await askBack(another)).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('never comes with the whole course, whatever is opened at the same moment', async () => {
    const seen = new Set<string>()
    for (let round = 0; round < 8; round += 1) {
      const taught = await aCourse(lms, { lessons: 4 })
      const sale = await aSaleOf(taught)
      const [asked, ...opened] = await Promise.all([
        askBack(sale).then(() => 'made', reasonOf),
        ...taught.lessonIds.map((id) =>
          open(sale, id).then(
            () => true,
            () => false,
          ),
        ),
      ])
      const isMade = asked === 'made'
      if (!isMade) expect(asked).toBe('REFUND_TOO_MUCH_WATCHED')
      expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(isMade ? 49_900 : 0)
      if (isMade) expect(opened.filter(Boolean).length).toBeLessThanOrEqual(1)
      expect(await isIn(sale.buyer, taught.courseId)).toBe(!isMade)
      seen.add(asked)
      await deliverWebhooks(lms)
    }
    expect(seen.size).toBeGreaterThan(0)
    await expectSound(lms)
  })

  it('is done once, however many ask at the same moment and for whichever order', async () => {
    for (let round = 0; round < 4; round += 1) {
      const taught = await aCourse(lms, { lessons: 2 })
      const first = await aSaleOf(taught)
      await deliverWebhooks(lms)
      // A second order can be paid while the access by the first is about to end.
      const { buyer, courseIds } = first
      const whose = { userId: buyer.user.id, courseId: taught.courseId }
      await lms.db.orm.enrollments.where(whose).update({ grants: [] })
      const second = await aSale(lms, { buyer, courseIds })
      const outcomes = await Promise.all(
        [first, second, first, second].map((sale) => askBack(sale).then(() => 'made', reasonOf)),
      )
      expect(outcomes).toContain('made')
      const given = [first, second].map(({ paymentId }) => ledgerOf(lms, paymentId)?.refunded)
      expect(given.sort()).toEqual([0, 49_900])
      await deliverWebhooks(lms)
    }
  })
})

describe('a shop that allows more', () => {
  it('says how often', async () => {
    const generous = await startLms({ env: { SELF_REFUNDS_PER_COURSE: '2' } })
    const taught = await aCourse(generous, { lessons: 2 })
    const sale = (buyer?: Sale['buyer']) =>
      aSale(generous, { courseIds: [taught.courseId], ...(buyer && { buyer }) })
    const first = await sale()
    await askBack(first)
    const second = await sale(first.buyer)
    expect(await askBack(second)).toMatchObject({ status: 'PROCESSED' })
    await refused(askBack(await sale(first.buyer)), 'NO_SELF_REFUND_LEFT')
    await generous.close()
  })
})
