import { beforeAll, describe, expect, it } from 'vitest'
import { aVerified } from '../support/builders/auth.ts'
import { aStudent, anAdmin } from '../support/builders/people.ts'
import { aDraft, aPublishedCourse } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('a list', () => {
  it('can be asked for with no input at all', async () => {
    const { owner } = await aPublishedCourse(lms)
    const admin = await anAdmin(lms)
    const lists = [
      lms.visitor().api.courses.list.query(),
      owner.api.courses.mine.query(),
      owner.api.enrollments.mine.query(),
      owner.api.orders.mine.query(),
      owner.api.auth.sessions.list.query(),
      admin.api.orders.list.query(),
      admin.api.orders.stuck.query(),
      admin.api.refunds.list.query(),
      admin.api.coupons.list.query(),
      admin.api.users.list.query(),
      admin.api.admin.audit.query(),
    ]
    for (const list of await Promise.all(lists))
      expect(list).toMatchObject({ items: expect.any(Array) as unknown, nextCursor: null })
  })
})

describe('a thing', () => {
  it('is named by its id, or by its full name', async () => {
    const admin = await anAdmin(lms)
    const { user } = await aStudent(lms)
    const byId = await admin.api.users.get.query({ id: user.id })
    expect(byId).toEqual(await admin.api.users.get.query({ userId: user.id }))
    await admin.api.users.setRole.mutate({ id: user.id, role: 'INSTRUCTOR' })
    expect(await admin.api.users.disable.mutate({ id: user.id })).toMatchObject({
      role: 'INSTRUCTOR',
      disabledAt: expect.any(Date) as unknown,
    })
  })

  it('named twice is named once, or is refused', async () => {
    const admin = await anAdmin(lms)
    const [one, other] = [await aStudent(lms), await aStudent(lms)]
    const both = { userId: one.user.id, id: other.user.id }
    await refused(admin.api.users.get.query(both), 'DUPLICATE_PARAMETER')
    const same = { userId: one.user.id, id: one.user.id }
    expect((await admin.api.users.get.query(same)).id).toBe(one.user.id)
  })
})

describe('what is written', () => {
  it('may be called text, as it is when it is read', async () => {
    const { course, owner, sectionId } = await aDraft(lms)
    const written = { courseId: course.id, sectionId, title: 'Notes' }
    const { id: lessonId } = await owner.api.courses.addLesson.mutate({
      ...written,
      kind: 'TEXT',
      text: 'First words',
    })
    const lesson = { courseId: course.id, lessonId }
    expect(await owner.api.lessons.open.query(lesson)).toMatchObject({ text: 'First words' })
    await owner.api.courses.updateLesson.mutate({ ...lesson, text: 'Last words' })
    expect(await owner.api.lessons.open.query(lesson)).toMatchObject({ text: 'Last words' })
  })

  it('of a course is taken back by the course, and is only one’s own', async () => {
    const { course } = await aPublishedCourse(lms, { pricePaise: 0 })
    const [one, other] = [await aVerified(lms), await aVerified(lms)]
    for (const { api } of [one, other]) {
      await api.enrollments.start.mutate({ courseId: course.id })
      const lessonId = course.sections[0]?.lessons[0]?.id ?? ''
      await api.progress.complete.mutate({ courseId: course.id, lessonId })
      await api.reviews.put.mutate({ courseId: course.id, rating: 4 })
    }
    await one.api.reviews.remove.mutate({ courseId: course.id })
    const left = await other.api.reviews.list.query({ courseId: course.id })
    expect(left.items.map(({ mine }) => mine)).toEqual([true])
  })
})

describe('signing out', () => {
  it('is done already for whoever is not signed in', async () => {
    expect(await lms.visitor().api.auth.logout.mutate()).toEqual({ ok: true })
  })
})
