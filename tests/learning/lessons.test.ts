import { beforeAll, describe, expect, it } from 'vitest'
import type { OpenLesson } from '../../src/learning/access/open-lesson.ts'
import { aDraft, giveGrant } from '../support/builders/courses.ts'
import {
  aCourse,
  aFilmedCourse,
  aLearner,
  aQuizCourse,
  withAccessRevoked,
  HANDOUT,
  VIDEO,
  type Filmed,
} from '../support/builders/learning.ts'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { refused, type Visitor } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

const DAY = 24 * 60 * 60

let lms: Lms
let filmed: Filmed
beforeAll(async () => {
  lms = await startLms()
  filmed = await aFilmedCourse(lms)
})

const open = ({ api }: Visitor, courseId: string, lessonId: string | undefined) =>
  api.lessons.open.query({ courseId, lessonId: lessonId ?? '' })

function playbackOf(lesson: OpenLesson) {
  if (lesson.kind !== 'VIDEO' && lesson.kind !== 'FILE') throw new Error('not a recording')
  return lesson.playback
}

describe('opening a lesson', () => {
  it('gives its text to those who take the course', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const { courseId, lessonIds } = taught
    const student = await aLearner(lms, taught)
    expect(await open(student, courseId, lessonIds[0])).toEqual({
      courseId,
      lessonId: lessonIds[0],
      title: 'Hello',
      kind: 'TEXT',
      text: '<p>Hello, world.</p>',
    })
  })

  it('gives a link that plays, for a while, and only as it was given', async () => {
    const { courseId, videoId } = filmed
    const lesson = await open(await aLearner(lms, filmed), courseId, videoId)
    expect(lesson).toMatchObject({ kind: 'VIDEO', durationSeconds: 90 })
    const { url, expiresAt } = playbackOf(lesson)
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(Buffer.from(await answer.arrayBuffer()).equals(VIDEO)).toBe(true)

    const longer = new URL(url)
    const expiry = Number(longer.searchParams.get('expires_at'))
    expect(expiry).toBe(Math.floor(expiresAt.getTime() / 1000))
    longer.searchParams.set('expires_at', String(expiry + DAY))
    expect((await fetch(longer)).status).toBe(401)
    const other = new URL(url)
    other.searchParams.set('public_id', `${other.searchParams.get('public_id') ?? ''}0`)
    expect((await fetch(other)).status).toBe(401)
    const unsigned = new URL(url)
    unsigned.searchParams.delete('signature')
    expect((await fetch(unsigned)).ok).toBe(false)

    lms.clock.advance((expiresAt.getTime() - lms.clock.now().getTime()) / 1000 + 2)
    expect((await fetch(url)).status).toBe(401)
  })

  it('gives a file to download', async () => {
    const { courseId, fileId } = filmed
    const { url } = playbackOf(await open(await aLearner(lms, filmed), courseId, fileId))
    const answer = await fetch(url)
    expect(answer.headers.get('content-disposition')).toContain('attachment')
    expect(Buffer.from(await answer.arrayBuffer()).equals(HANDOUT)).toBe(true)
  })

  it('gives a preview to anyone', async () => {
    const { courseId, trailerId } = filmed
    const { url } = playbackOf(await open(lms.visitor(), courseId, trailerId))
    expect((await fetch(url)).status).toBe(200)
  })

  it('gives a quiz without its answers, and without its questions when time counts', async () => {
    const untimed = await aQuizCourse(lms)
    const lesson = await open(await aLearner(lms, untimed), untimed.courseId, untimed.quizId)
    expect(lesson).toMatchObject({
      kind: 'QUIZ',
      quiz: { passPercent: 60, maxAttempts: null, questionCount: 3, maxScore: 6 },
    })
    expect(JSON.stringify(lesson)).toContain('How many owners has a value?')
    expect(JSON.stringify(lesson)).not.toMatch(/correct|explanation|one owner|drop|optionIds/)
    const timed = await aQuizCourse(lms, { timeLimitSeconds: 60 })
    const hidden = await open(await aLearner(lms, timed), timed.courseId, timed.quizId)
    expect(hidden).toMatchObject({ quiz: { questionCount: 3, questions: null } })
  })

  it('is always possible for the author and for administrators', async () => {
    const { courseId, videoId, owner } = filmed
    for (const person of [owner, await anAdmin(lms)])
      expect(await open(person, courseId, videoId)).toMatchObject({ kind: 'VIDEO' })
    const draft = await aDraft(lms)
    const lesson = await open(draft.owner, draft.course.id, draft.lessonId)
    expect(lesson).toMatchObject({ kind: 'TEXT' })
  })

  it('is refused without access, whatever the kind of lesson', async () => {
    const { courseId, lessonIds, videoId, fileId } = filmed
    const [stranger, left, late, other] = [
      await aStudent(lms),
      await aLearner(lms, filmed),
      await aStudent(lms),
      await anInstructor(lms),
    ]
    await withAccessRevoked(filmed, left)
    const until = new Date(lms.clock.now().getTime() + DAY * 1000)
    await giveGrant(lms, { userId: late.user.id, courseId }, { until })
    expect(await open(late, courseId, videoId)).toMatchObject({ kind: 'VIDEO' })
    lms.clock.advance(DAY + 1)
    for (const lessonId of [lessonIds[0], videoId, fileId]) {
      await refused(open(lms.visitor(), courseId, lessonId), 'UNAUTHENTICATED')
      for (const person of [stranger, left, late, other])
        await refused(open(person, courseId, lessonId), 'NOT_ENROLLED')
    }
  })

  it('finds no draft, no lesson of another course, and none that was removed', async () => {
    const student = await aLearner(lms, filmed)
    const draft = await aDraft(lms)
    await refused(open(student, draft.course.id, draft.lessonId), 'NOT_FOUND')
    await refused(open(student, draft.course.id, filmed.videoId), 'NOT_FOUND')
    const elsewhere = await aCourse(lms)
    await refused(open(student, filmed.courseId, elsewhere.lessonIds[0]), 'NOT_FOUND')
    const { courseId, lessonIds, owner } = elsewhere
    const learner = await aLearner(lms, elsewhere)
    await owner.api.courses.removeLesson.mutate({ courseId, lessonId: lessonIds[1] ?? '' })
    await refused(open(learner, courseId, lessonIds[1]), 'NOT_FOUND')
  })

  it('stays possible for those who have the course when it leaves the catalogue', async () => {
    const taught = await aCourse(lms)
    const { courseId, lessonIds, owner } = taught
    const [learner, stranger] = [await aLearner(lms, taught), await aStudent(lms)]
    await owner.api.courses.archive.mutate({ id: courseId })
    expect(await open(learner, courseId, lessonIds[0])).toMatchObject({ kind: 'TEXT' })
    await refused(open(stranger, courseId, lessonIds[0]), 'NOT_FOUND')
    await withAccessRevoked(taught, learner)
    await refused(open(learner, courseId, lessonIds[0]), 'NOT_FOUND')
  })

  it('says when the video has not come in yet', async () => {
    const unfinished = await aFilmedCourse(lms)
    const { courseId, videoId } = unfinished
    const student = await aLearner(lms, unfinished)
    await lms.db.orm.media
      .where({ courseId, purpose: 'lesson-video' })
      .updateAndCount({ state: 'PENDING' })
    await refused(open(student, courseId, videoId), 'MEDIA_NOT_READY')
  })

  it('refuses what is no id', async () => {
    const { api } = lms.visitor()
    const wrong = [
      { courseId: filmed.courseId, lessonId: '' },
      { courseId: 'x', lessonId: filmed.videoId },
      { courseId: { $ne: null }, lessonId: { $gt: '' } },
      { courseId: filmed.courseId, lessonId: 'x'.repeat(65) },
      {},
    ]
    for (const input of wrong) {
      const given = input as { courseId: string; lessonId: string }
      await refused(api.lessons.open.query(given), 'INVALID_INPUT')
    }
  })
})

describe('explaining access', () => {
  it('says why a lesson opens, or does not, in agreement with opening it', async () => {
    const { courseId, videoId, trailerId, owner } = filmed
    const [stranger, learner, left, late] = [
      await aStudent(lms),
      await aLearner(lms, filmed),
      await aLearner(lms, filmed),
      await aStudent(lms),
    ]
    const until = new Date(lms.clock.now().getTime() + DAY * 1000)
    await giveGrant(lms, { userId: late.user.id, courseId }, { until })
    await withAccessRevoked(filmed, left)
    lms.clock.advance(2 * DAY)
    const cases = [
      [owner, videoId, 'OWNER'],
      [learner, videoId, 'ENROLLED'],
      [lms.visitor(), trailerId, 'PREVIEW'],
      [stranger, trailerId, 'PREVIEW'],
      [lms.visitor(), videoId, 'SIGNED_OUT'],
      [stranger, videoId, 'NEVER_ENROLLED'],
      [left, videoId, 'ACCESS_REVOKED'],
      [late, videoId, 'ACCESS_EXPIRED'],
    ] as const
    for (const [person, lessonId, because] of cases) {
      const opens = await open(person, courseId, lessonId).then(
        () => true,
        () => false,
      )
      const told = await person.api.lessons.explainAccess.query({ courseId, lessonId })
      expect([because, told.canOpen, told.because]).toEqual([because, opens, because])
    }
    const expired = { courseId, lessonId: videoId }
    const told = await late.api.lessons.explainAccess.query(expired)
    expect(told.until).toEqual(until)
  })

  it('knows nothing of what one may not know of', async () => {
    const draft = await aDraft(lms)
    const lesson = { courseId: draft.course.id, lessonId: draft.lessonId }
    await refused((await aStudent(lms)).api.lessons.explainAccess.query(lesson), 'NOT_FOUND')
  })
})
