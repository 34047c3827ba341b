import type { Course } from '../../../src/courses/public-course.ts'
import type { Lms } from '../harness.ts'
import { anInstructor, type Person } from './people.ts'

export type Written = { course: Course; sectionId: string; lessonId: string; owner: Person }

type Wish = { title?: string; pricePaise?: number; category?: string; owner?: Person }

/** A draft with one text lesson that could be published. */
export async function aDraft(lms: Lms, wish: Wish = {}): Promise<Written> {
  const owner = wish.owner ?? (await anInstructor(lms))
  const { api } = owner
  const { id: courseId } = await api.courses.create.mutate({
    title: wish.title ?? 'Rust for the curious',
    summary: 'Ownership, borrowing and lifetimes',
    description: '<p>A patient walk through the language.</p>',
    category: wish.category ?? 'Programming',
    pricePaise: wish.pricePaise ?? 49_900,
    tags: ['rust'],
  })
  const section = await api.courses.addSection.mutate({ courseId, title: 'Beginnings' })
  const lesson = await api.courses.addLesson.mutate({
    courseId,
    sectionId: section.id,
    title: 'Hello',
    kind: 'TEXT',
    body: '<p>Hello, world.</p>',
  })
  const course = await api.courses.update.mutate({ id: courseId })
  return { course, sectionId: section.id, lessonId: lesson.id, owner }
}

/** Writes the image itself into the draft: for tests that are not about images. */
export async function withImage(lms: Lms, written: Written): Promise<Written> {
  const imageUrl = 'https://images.example.test/cover.png'
  await lms.db.orm.courses.where({ _id: written.course.id }).update({ imageUrl })
  return written
}

/** On sale, with one text lesson. */
export async function aPublishedCourse(lms: Lms, wish: Wish = {}): Promise<Written> {
  const written = await withImage(lms, await aDraft(lms, wish))
  const course = await written.owner.api.courses.publish.mutate({ id: written.course.id })
  return { ...written, course }
}

/** What fulfillment or a free enrollment writes. */
export async function giveGrant(
  lms: Lms,
  { userId, courseId }: { userId: string; courseId: string },
  grant: { until?: Date; revokedAt?: Date } = {},
): Promise<void> {
  const at = lms.clock.now()
  await lms.db.orm.enrollments.create({
    userId,
    courseId,
    grants: [
      {
        key: `test:${userId}`,
        kind: 'ADMIN',
        orderId: null,
        lineNo: null,
        at,
        until: grant.until ?? null,
        revokedAt: grant.revokedAt ?? null,
        reason: null,
        revokedBy: null,
      },
    ],
    barredAt: null,
    createdAt: at,
    updatedAt: at,
  })
}
