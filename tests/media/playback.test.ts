import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft, giveGrant } from '../support/builders/courses.ts'
import { uploaded } from '../support/builders/media.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { mp4, PNG, PDF } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const film = mp4(30, 5_000)

/** On sale, with a film and a document, both paid for. */
async function aCourseWithMedia() {
  const { course, sectionId, owner } = await aDraft(lms)
  const courseId = course.id
  await uploaded(owner, `/uploads/course-image?courseId=${courseId}`, PNG)
  const add = async (kind: 'VIDEO' | 'FILE', content: Buffer) => {
    const purpose = kind === 'VIDEO' ? 'lesson-video' : 'lesson-file'
    const { mediaId } = await uploaded(owner, `/uploads/${purpose}?courseId=${courseId}`, content)
    const lesson = { courseId, sectionId, title: kind, kind, mediaId }
    return { mediaId, lessonId: (await owner.api.courses.addLesson.mutate(lesson)).id }
  }
  const video = await add('VIDEO', film)
  const document = await add('FILE', PDF)
  await owner.api.courses.publish.mutate({ id: courseId })
  return { courseId, slug: course.slug, owner, video, document }
}

type Course = Awaited<ReturnType<typeof aCourseWithMedia>>

async function anEnrolledStudent({ courseId }: Course) {
  const student = await aStudent(lms)
  await giveGrant(lms, { userId: student.user.id, courseId })
  return student
}

async function linkFor(course: Course, lessonId: string): Promise<string> {
  const student = await anEnrolledStudent(course)
  const opened = await student.api.lessons.open.query({ courseId: course.courseId, lessonId })
  if (!('playback' in opened)) throw new Error('there is nothing to play')
  return opened.playback.url
}

describe('a playback link', () => {
  it('brings the film, and the document as something to keep and not to show', async () => {
    const course = await aCourseWithMedia()
    const watched = await fetch(await linkFor(course, course.video.lessonId))
    expect(watched.headers.get('content-type')).toBe('video/mp4')
    expect(Buffer.from(await watched.arrayBuffer())).toEqual(film)
    const kept = await fetch(await linkFor(course, course.document.lessonId))
    expect(kept.headers.get('content-disposition')).toMatch(/^attachment(;|$)/)
    expect(Buffer.from(await kept.arrayBuffer())).toEqual(PDF)
  })

  it('lives for ten minutes and no longer', async () => {
    const course = await aCourseWithMedia()
    const student = await anEnrolledStudent(course)
    const open = { courseId: course.courseId, lessonId: course.video.lessonId }
    const opened = await student.api.lessons.open.query(open)
    if (!('playback' in opened)) throw new Error('there is nothing to play')
    const { url, expiresAt } = opened.playback
    // A link says when it ends in whole seconds.
    const end = Number(new URL(url).searchParams.get('expires_at')) * 1000
    expect(Math.floor(expiresAt.getTime() / 1000) * 1000).toBe(end)
    const given = end - 600_000
    const age = lms.clock.now().getTime() - given
    expect(age).toBeGreaterThanOrEqual(0)
    expect(age).toBeLessThan(10_000)
    const goTo = (seconds: number) => {
      lms.clock.advance((given + seconds * 1000 - lms.clock.now().getTime()) / 1000)
    }
    goTo(9 * 60 + 59)
    expect((await fetch(url)).status).toBe(200)
    goTo(10 * 60 + 1)
    expect((await fetch(url)).status).toBe(401)
  })

  it('is good for what it was made for only', async () => {
    const course = await aCourseWithMedia()
    const url = await linkFor(course, course.video.lessonId)
    const other = await lms.db.orm.media.where({ _id: course.document.mediaId }).first()
    for (const [name, value] of [
      ['expires_at', '9999999999'],
      ['public_id', other?.publicId ?? ''],
      ['type', 'upload'],
    ] as const) {
      const altered = new URL(url)
      altered.searchParams.set(name, value)
      expect([name, (await fetch(altered)).status]).toEqual([name, 401])
    }
  })

  it('is given to no one without a live grant, nor for what was removed', async () => {
    const course = await aCourseWithMedia()
    const { courseId, owner, video } = course
    const open = { courseId, lessonId: video.lessonId }
    const student = await anEnrolledStudent(course)
    await refused(lms.visitor().api.lessons.open.query(open), 'UNAUTHENTICATED')
    await refused((await aStudent(lms)).api.lessons.open.query(open), 'NOT_ENROLLED')
    await student.api.lessons.open.query(open)
    await owner.api.media.remove.mutate({ mediaId: video.mediaId })
    await refused(student.api.lessons.open.query(open), 'MEDIA_NOT_READY')
    await refused(owner.api.lessons.open.query(open), 'MEDIA_NOT_READY')
  })

  it('is nowhere in the catalogue or the outline', async () => {
    const { slug, video, document } = await aCourseWithMedia()
    const visitor = lms.visitor()
    const seen = JSON.stringify([
      await visitor.api.courses.list.query({}),
      await visitor.api.courses.bySlug.query({ slug }),
    ])
    for (const { mediaId } of [video, document]) {
      const media = await lms.db.orm.media.where({ _id: mediaId }).first()
      expect(seen).not.toContain(mediaId)
      expect(seen).not.toContain(media?.publicId)
    }
  })
})
