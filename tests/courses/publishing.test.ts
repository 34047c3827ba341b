import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { aDraft, aPublishedCourse, giveGrant, withImage } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('publishing', () => {
  it('puts a complete course where everyone finds it', async () => {
    const { course, owner } = await withImage(lms, await aDraft(lms))
    const published = await owner.api.courses.publish.mutate({ id: course.id })
    expect(published).toMatchObject({ status: 'PUBLISHED', lessonCount: 1 })
    expect(published.publishedAt).toBeInstanceOf(Date)
    const found = await lms.visitor().api.courses.bySlug.query({ slug: course.slug })
    expect(found).toMatchObject({
      id: course.id,
      instructor: { id: owner.user.id, name: owner.user.name },
      viewer: { enrolled: false, owner: false },
      sections: [{ title: 'Beginnings', lessons: [{ title: 'Hello', kind: 'TEXT' }] }],
    })
    expect(JSON.stringify(found)).not.toMatch(/mediaId|body|Hello, world/)
  })

  it('names every missing thing at once', async () => {
    const owner = await anInstructor(lms)
    const { id } = await owner.api.courses.create.mutate({ title: 'Nothing yet', pricePaise: 50 })
    const before = await refused(owner.api.courses.publish.mutate({ id }), 'COURSE_NOT_READY')
    expect(before.map(({ path }) => path)).toEqual([
      'summary',
      'description',
      'pricePaise',
      'sections',
    ])
    const first = await owner.api.courses.addSection.mutate({ courseId: id, title: 'One' })
    await owner.api.courses.addSection.mutate({ courseId: id, title: 'Two' })
    for (const kind of ['VIDEO', 'TEXT', 'FILE', 'QUIZ'] as const)
      await owner.api.courses.addLesson.mutate({
        courseId: id,
        sectionId: first.id,
        title: kind,
        kind,
      })
    const after = await refused(owner.api.courses.publish.mutate({ id }), 'COURSE_NOT_READY')
    expect(after.map(({ path }) => path).slice(3)).toEqual([
      'sections.0.lessons.0.mediaId',
      'sections.0.lessons.1.body',
      'sections.0.lessons.2.mediaId',
      'sections.0.lessons.3.quiz',
      'sections.1.lessons',
    ])
    const workshop = await owner.api.courses.authoring.query({ courseId: id })
    expect(workshop.missing).toEqual(after)
  })

  it('keeps what is on sale fit to be sold', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    const issues = await refused(
      owner.api.courses.update.mutate({ id: course.id, summary: '', pricePaise: 1 }),
      'COURSE_NOT_READY',
    )
    expect(issues.map(({ path }) => path)).toEqual(['summary', 'pricePaise'])
    const found = await lms.visitor().api.courses.bySlug.query({ slug: course.slug })
    expect(found.summary).toBe(course.summary)
  })

  it('keeps a lesson in what is on sale, and lets it be extended piece by piece', async () => {
    const { course, sectionId, lessonId, owner } = await aPublishedCourse(lms)
    const courseId = course.id
    const { courses } = owner.api
    const lone = await refused(
      courses.removeLesson.mutate({ courseId, lessonId }),
      'COURSE_NOT_READY',
    )
    expect(lone).toEqual([{ path: 'sections.0.lessons', message: 'are missing' }])
    const none = await refused(
      courses.removeSection.mutate({ courseId, sectionId }),
      'COURSE_NOT_READY',
    )
    expect(none).toEqual([{ path: 'sections', message: 'are missing' }])
    const opened = await lms.visitor().api.courses.bySlug.query({ slug: course.slug })
    expect(opened.lessonCount).toBe(1)
    const more = await courses.addSection.mutate({ courseId, title: 'To come' })
    const video = { courseId, sectionId: more.id, title: 'Soon', kind: 'VIDEO' as const }
    const soon = await courses.addLesson.mutate(video)
    await courses.removeLesson.mutate({ courseId, lessonId: soon.id })
    await courses.removeSection.mutate({ courseId, sectionId: more.id })
    await courses.unpublish.mutate({ id: courseId })
    expect((await courses.removeLesson.mutate({ courseId, lessonId })).sections).toHaveLength(1)
  })

  it('keeps its place among the newest when it is published again', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    await owner.api.courses.unpublish.mutate({ id: course.id })
    lms.clock.advance(60)
    const again = await owner.api.courses.publish.mutate({ id: course.id })
    expect(again.publishedAt).toEqual(course.publishedAt)
  })
})

describe('drafts, unpublished and archived courses', () => {
  it('are not there for anyone but their owner and administrators', async () => {
    const { course, owner } = await aPublishedCourse(lms, { category: 'Hidden' })
    const others = [lms.visitor(), await aStudent(lms), await anInstructor(lms)]
    for (const hide of ['unpublish', 'archive'] as const) {
      await owner.api.courses[hide].mutate({ id: course.id })
      for (const other of others)
        await refused(other.api.courses.bySlug.query({ slug: course.slug }), 'NOT_FOUND')
      const listed = await lms.visitor().api.courses.list.query({ category: 'Hidden' })
      expect(listed.items).toEqual([])
      for (const one of [owner, await anAdmin(lms)]) {
        const found = await one.api.courses.bySlug.query({ slug: course.slug })
        expect(found.viewer.owner).toBe(true)
      }
    }
  })

  it('stay readable to whoever holds a live grant, and only as long as it lives', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    const [holder, revoked, expired] = [
      await aStudent(lms),
      await aStudent(lms),
      await aStudent(lms),
    ]
    const of = (person: typeof holder) => ({ userId: person.user.id, courseId: course.id })
    await giveGrant(lms, of(holder))
    await giveGrant(lms, of(revoked), { revokedAt: lms.clock.now() })
    await giveGrant(lms, of(expired), { until: lms.clock.now() })
    await owner.api.courses.archive.mutate({ id: course.id })
    const found = await holder.api.courses.bySlug.query({ slug: course.slug })
    expect(found.viewer).toEqual({ enrolled: true, owner: false })
    for (const other of [revoked, expired])
      await refused(other.api.courses.bySlug.query({ slug: course.slug }), 'NOT_FOUND')
  })

  it('cannot be told from nothing by another instructor, who may not touch published ones', async () => {
    const draft = await aDraft(lms)
    const published = await aPublishedCourse(lms)
    const other = await anInstructor(lms)
    await refused(other.api.courses.publish.mutate({ id: draft.course.id }), 'NOT_FOUND')
    await refused(other.api.courses.publish.mutate({ id: '0'.repeat(24) }), 'NOT_FOUND')
    await refused(other.api.courses.unpublish.mutate({ id: published.course.id }), 'FORBIDDEN')
    await refused(other.api.courses.authoring.query({ courseId: published.course.id }), 'FORBIDDEN')
    await refused(
      (await aStudent(lms)).api.courses.update.mutate({ id: published.course.id, title: 'Mine' }),
      'FORBIDDEN',
    )
  })
})
