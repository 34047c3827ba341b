import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft, aPublishedCourse } from '../support/builders/courses.ts'
import { aCourse, withAccessRevoked } from '../support/builders/learning.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

const NOWHERE = 'f'.repeat(24)

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const aFreeCourse = () => aCourse(lms, { lessons: 2, pricePaise: 0 })

describe('starting a free course', () => {
  it('lets a student in, and answers the same when asked again', async () => {
    const { courseId, course, lessonIds } = await aFreeCourse()
    const { api } = await aStudent(lms)
    const started = await api.enrollments.start.mutate({ courseId })
    expect(started).toMatchObject({ courseId, isActive: true, until: null })
    expect(await api.enrollments.start.mutate({ courseId })).toEqual(started)
    await api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    const { items } = await api.enrollments.mine.query({})
    expect(items).toEqual([
      {
        ...started,
        percent: 50,
        course: {
          slug: course.slug,
          title: course.title,
          summary: course.summary,
          imageUrl: course.imageUrl,
          status: 'PUBLISHED',
        },
      },
    ])
  })

  it('refuses a course with a price, a draft, and the author of it', async () => {
    const paid = await aPublishedCourse(lms)
    const draft = await aDraft(lms, { pricePaise: 0 })
    const free = await aFreeCourse()
    const { api } = await aStudent(lms)
    const start = (courseId: string) => api.enrollments.start.mutate({ courseId })
    await refused(start(paid.course.id), 'NOT_FREE')
    await refused(start(draft.course.id), 'NOT_FOUND')
    await refused(start(NOWHERE), 'NOT_FOUND')
    const own = free.owner.api.enrollments.start.mutate({ courseId: free.courseId })
    await refused(own, 'OWN_COURSE')
    await refused(lms.visitor().api.enrollments.start.mutate(free), 'UNAUTHENTICATED')
    expect(await api.enrollments.mine.query({})).toEqual({ items: [], nextCursor: null })
  })

  it('does not give back what was revoked', async () => {
    const free = await aFreeCourse()
    const student = await aStudent(lms)
    await student.api.enrollments.start.mutate({ courseId: free.courseId })
    await withAccessRevoked(free, student)
    const again = student.api.enrollments.start.mutate({ courseId: free.courseId })
    await refused(again, 'ACCESS_ENDED')
  })

  it('makes one enrollment with one grant of twenty starts at once', async () => {
    const { courseId } = await aFreeCourse()
    const { api, user } = await aStudent(lms)
    const starts = Array.from({ length: 20 }, () => api.enrollments.start.mutate({ courseId }))
    const outcomes = await Promise.all(starts)
    expect(new Set(outcomes.map(({ enrolledAt }) => enrolledAt.getTime())).size).toBe(1)
    const rows = await lms.db.orm.enrollments.where({ userId: user.id, courseId }).all()
    expect(rows.map(({ grants }) => grants.length)).toEqual([1])
  })
})
