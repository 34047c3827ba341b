import { ObjectId } from 'mongodb'
import { aVerified } from '../support/builders/auth.ts'
import { aDraft, type Written } from '../support/builders/courses.ts'
import {
  aFilmedCourse,
  aQuizCourse,
  passed,
  type Examined,
  type Filmed,
} from '../support/builders/learning.ts'
import { anOrder, aSale, type Opened } from '../support/builders/orders.ts'
import { anAdmin, anInstructor, type Person } from '../support/builders/people.ts'
import type { Lms } from '../support/harness.ts'
import { deliverWebhooks } from '../support/order-checks.ts'

/** Stands in every text that only some may read. */
export const PRIVATE = 'for-the-enrolled-only'

export type World = {
  admin: Person
  teacher: Person
  buyer: Person
  filmed: Filmed
  examined: Examined
  draft: Written
  sale: Opened & { paymentId: string }
  openOrder: Opened
}

/**
 * A school in full swing: courses of every kind, someone who bought, learnt, passed, reviewed and was
 * refunded.
 */
export async function aWorld(lms: Lms): Promise<World> {
  const [admin, teacher, buyer] = [
    await anAdmin(lms),
    await anInstructor(lms),
    await aVerified(lms, 'Victim Valentine'),
  ]
  const filmed = await aFilmedCourse(lms)
  const examined = await aQuizCourse(lms)
  const draft = await aDraft(lms, { owner: teacher, title: 'A draft nobody knows' })
  await writePrivately(filmed, examined)
  const sale = await aSale(lms, { buyer, courseIds: [filmed.courseId, examined.courseId] })
  await learn(buyer, { filmed, examined })
  await admin.api.coupons.create.mutate({ code: 'WORLD10', kind: 'PERCENT', value: 10 })
  const other = await aSale(lms, { buyer })
  const openOrder = await anOrder(lms, { buyer })
  await admin.api.refunds.create.mutate({
    orderId: other.order.id,
    amountPaise: 100,
    reason: 'goodwill',
    idempotencyKey: 'a-refund-of-the-world',
  })
  await lms.work()
  await deliverWebhooks(lms)
  return { admin, teacher, buyer, filmed, examined, draft, sale, openOrder }
}

async function writePrivately(filmed: Filmed, examined: Examined): Promise<void> {
  for (const { owner, courseId, lessonId } of [filmed, examined]) {
    const body = `<p>${PRIVATE}</p>`
    await owner.api.courses.updateLesson.mutate({ courseId, lessonId, body })
  }
}

async function learn(
  buyer: Person,
  { filmed, examined }: Pick<World, 'filmed' | 'examined'>,
): Promise<void> {
  const { api } = buyer
  await passed(examined, buyer)
  await api.progress.complete.mutate({ courseId: examined.courseId, lessonId: examined.lessonId })
  await api.progress.position.mutate({
    courseId: filmed.courseId,
    lessonId: filmed.videoId,
    seconds: 12,
  })
  await api.certificates.claim.mutate({ courseId: examined.courseId })
  await api.reviews.put.mutate({ courseId: examined.courseId, rating: 5, body: 'Clear.' })
}

/** Everyone's ids by the names of the fields they are sent in. */
export async function idsByName(lms: Lms, world: World): Promise<Map<string, string[]>> {
  const { filmed, examined, draft, buyer, teacher, admin, sale, openOrder } = world
  const of = async (name: string, filter = {}) =>
    (await lms.db.driver.collection(name).find(filter).limit(20).toArray()).map(({ _id }) =>
      _id.toHexString(),
    )
  const known = new Map([
    ['courseId', [filmed.courseId, examined.courseId, draft.course.id]],
    ['courseIds', [filmed.courseId, draft.course.id]],
    ['sectionId', [filmed.sectionId, draft.sectionId]],
    ['lessonId', [filmed.lessonId, filmed.videoId, filmed.fileId, examined.quizId, draft.lessonId]],
    ['userId', [buyer.user.id, teacher.user.id, admin.user.id]],
    ['instructorId', [teacher.user.id, filmed.owner.user.id]],
    ['orderId', [sale.order.id, openOrder.order.id]],
    ['mediaId', await of('media')],
    ['attemptId', await of('quiz_attempts')],
    ['certificateId', await of('certificates')],
    ['reviewId', await of('reviews')],
  ])
  known.set('id', [
    ...[...known.values()].flat(),
    ...(await of('sessions', { userId: new ObjectId(buyer.user.id) })),
  ])
  return known
}
