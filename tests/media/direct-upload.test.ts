import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Fault } from '../../sandbox/cloudinary/faults.ts'
import { aDraft, aPublishedCourse } from '../support/builders/courses.ts'
import { sendForm, uploaded, type Form } from '../support/builders/media.ts'
import { aStudent, anInstructor, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { SECRETS, startLms, type Lms } from '../support/harness.ts'
import { mp4, PNG, PDF } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const UNAVAILABLE: Fault = { on: 'admin', kind: 'status', status: 503, times: 9 }

type Told = { body: string; at?: number; secret?: string; signature?: string }

/** What Cloudinary posts when a file has come. */
async function tell({
  body,
  at = 0,
  secret = SECRETS.cloudinary,
  signature,
}: Told): Promise<number> {
  const timestamp = String(Math.floor(lms.clock.now().getTime() / 1000) + at)
  const signed = createHash('sha1')
    .update(body + timestamp + secret)
    .digest('hex')
  const response = await fetch(`${lms.url}/webhooks/cloudinary`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-cld-timestamp': timestamp,
      'x-cld-signature': signature ?? signed,
    },
  })
  return response.status
}

const told = (publicId = '') =>
  JSON.stringify({ notification_type: 'upload', public_id: publicId, bytes: 1, version: 1 })

const stateOf = async (mediaId: string) =>
  (await lms.db.orm.media.where({ _id: mediaId }).first())?.state

async function aFilmForm(): Promise<{
  owner: Person
  courseId: string
  sectionId: string
  form: Form & { mediaId: string }
}> {
  const { course, sectionId, owner } = await aDraft(lms)
  const form = await owner.api.media.signUpload.mutate({
    purpose: 'lesson-video',
    courseId: course.id,
  })
  return { owner, courseId: course.id, sectionId, form }
}

describe('a direct upload', () => {
  it('is accepted once Cloudinary says that it has the file', async () => {
    const { owner, courseId, sectionId, form } = await aFilmForm()
    const { mediaId } = form
    const film = { courseId, sectionId, title: 'Film', kind: 'VIDEO' as const, mediaId }
    const lesson = await owner.api.courses.addLesson.mutate(film)
    expect(lesson.durationSeconds).toBeNull()
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'MEDIA_NOT_READY')
    expect(await sendForm(form, mp4(75))).toBe(200)
    const media = await owner.api.media.confirm.mutate({ mediaId })
    expect(media).toMatchObject({ state: 'READY', durationSeconds: 75, url: null })
    const workshop = await owner.api.courses.authoring.query({ courseId })
    expect(workshop.sections[0]?.lessons[1]?.durationSeconds).toBe(75)
  })

  it('is accepted by the notification, and repeating that changes nothing', async () => {
    const { form } = await aFilmForm()
    await sendForm(form, mp4(75))
    const body = told(form.fields['public_id'])
    expect(await Promise.all([tell({ body }), tell({ body })])).toEqual([200, 200])
    const ready = await lms.db.orm.media.where({ _id: form.mediaId }).first()
    expect(ready).toMatchObject({ state: 'READY', bytes: 1000 })
    expect(await tell({ body })).toBe(200)
    expect(await lms.db.orm.media.where({ _id: form.mediaId }).first()).toEqual(ready)
  })

  it('is found by the sweep when nobody told of it, and forgotten when it never came', async () => {
    const [came, never] = [await aFilmForm(), await aFilmForm()]
    await sendForm(came.form, mp4(75))
    lms.clock.advance(25 * 3600)
    await lms.work()
    expect(await stateOf(came.form.mediaId)).toBe('READY')
    expect(await stateOf(never.form.mediaId)).toBe('REMOVED')
    lms.clock.advance(3600)
    await lms.work()
    expect(await stateOf(never.form.mediaId)).toBeUndefined()
  })

  it('of a document has the extension it was signed for', async () => {
    const { course, owner } = await aDraft(lms)
    const ask = { purpose: 'lesson-file' as const, courseId: course.id }
    await refused(owner.api.media.signUpload.mutate(ask), 'INVALID_INPUT')
    await refused(owner.api.media.signUpload.mutate({ ...ask, format: 'html' }), 'INVALID_INPUT')
    const form = await owner.api.media.signUpload.mutate({ ...ask, format: 'pdf' })
    expect(form.fields['public_id']).toMatch(/^lesson-file\/[0-9a-f]{30}\.pdf$/)
    await sendForm(form, PDF)
    const media = await owner.api.media.confirm.mutate({ mediaId: form.mediaId })
    expect(media).toMatchObject({ state: 'READY', format: 'pdf' })
  })

  it.each([
    ['a program', Buffer.from('MZ\x90\x00<script>alert(1)</script>')],
    ['a page', Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['a picture', PNG],
  ])('of a document that is %s is refused by its bytes, and removed', async (_what, content) => {
    const { course, owner } = await aDraft(lms)
    const ask = { purpose: 'lesson-file' as const, courseId: course.id, format: 'pdf' }
    const form = await owner.api.media.signUpload.mutate(ask)
    await sendForm(form, content)
    const { mediaId } = form
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'FILE_TYPE_REFUSED')
    expect(lms.cloudinary.find(form.fields['public_id'] ?? '')).toBeUndefined()
    await refused(owner.api.media.confirm.mutate({ mediaId }), 'NOT_FOUND')
  })

  it('of a film of more than twelve hours is refused', async () => {
    const { owner, form } = await aFilmForm()
    await sendForm(form, mp4(12 * 3_600 + 1))
    await refused(owner.api.media.confirm.mutate({ mediaId: form.mediaId }), 'FILE_TOO_LARGE')
  })

  it('is signed for authors of the course only', async () => {
    const { course } = await aPublishedCourse(lms)
    const ask = { purpose: 'course-image' as const, courseId: course.id }
    await refused((await aStudent(lms)).api.media.signUpload.mutate(ask), 'FORBIDDEN')
    const other = await anInstructor(lms)
    await refused(other.api.media.signUpload.mutate(ask), 'FORBIDDEN')
    await refused(other.api.media.signUpload.mutate({ purpose: 'course-image' }), 'INVALID_INPUT')
    const { form } = await aFilmForm()
    await refused(other.api.media.confirm.mutate({ mediaId: form.mediaId }), 'NOT_FOUND')
    await refused(other.api.media.remove.mutate({ mediaId: form.mediaId }), 'NOT_FOUND')
  })

  it('cannot be attached to another course, or to a lesson of another kind', async () => {
    const { owner, courseId, sectionId, form } = await aFilmForm()
    const other = await aDraft(lms, { owner })
    const lesson = { title: 'Film', kind: 'VIDEO' as const, mediaId: form.mediaId }
    const elsewhere = { courseId: other.course.id, sectionId: other.sectionId }
    await refused(owner.api.courses.addLesson.mutate({ ...lesson, ...elsewhere }), 'INVALID_INPUT')
    await refused(
      owner.api.courses.addLesson.mutate({ ...lesson, courseId, sectionId, kind: 'FILE' }),
      'INVALID_INPUT',
    )
  })

  it('that is larger than allowed is removed when it is looked at', async () => {
    const { course, owner } = await aDraft(lms)
    const form = await owner.api.media.signUpload.mutate({
      purpose: 'course-image',
      courseId: course.id,
    })
    expect(await sendForm(form, Buffer.concat([PNG, Buffer.alloc(9_000_000)]))).toBe(200)
    await refused(owner.api.media.confirm.mutate({ mediaId: form.mediaId }), 'FILE_TOO_LARGE')
    expect(await stateOf(form.mediaId)).toBe('REMOVED')
    expect(lms.cloudinary.find(form.fields['public_id'] ?? '')).toBeUndefined()
  })
})

describe('a notification', () => {
  it('is refused unless Cloudinary signed it, just now', async () => {
    const { form } = await aFilmForm()
    await sendForm(form, mp4(75))
    const body = told(form.fields['public_id'])
    expect(await tell({ body, secret: 'not the secret' })).toBe(401)
    expect(await tell({ body, signature: '' })).toBe(401)
    expect(await tell({ body, at: -2 * 3600 - 5 })).toBe(401)
    expect(await tell({ body, at: 3600 })).toBe(401)
    expect(await stateOf(form.mediaId)).toBe('PENDING')
    expect((await fetch(`${lms.url}/webhooks/cloudinary`)).status).toBe(405)
  })

  it('makes nothing of what it says, only of what is there', async () => {
    const { form } = await aFilmForm()
    expect(await tell({ body: told(form.fields['public_id']) })).toBe(200)
    expect(await stateOf(form.mediaId)).toBe('PENDING')
    for (const body of ['nonsense', '{}', '[]', told('nobody/knows'), told('../x')])
      expect(await tell({ body })).toBe(200)
  })

  it('is asked for again while Cloudinary cannot be asked', async () => {
    lms.expectErrors()
    const { form } = await aFilmForm()
    await sendForm(form, mp4(75))
    const body = told(form.fields['public_id'])
    await lms.cloudinary.with({ faults: [UNAVAILABLE] }, async () => {
      expect(await tell({ body })).toBe(502)
    })
    expect(await tell({ body })).toBe(200)
    expect(await stateOf(form.mediaId)).toBe('READY')
  })
})

describe('removing', () => {
  it('takes the file away, and at once', async () => {
    const { owner, form } = await aFilmForm()
    await sendForm(form, mp4(75))
    await owner.api.media.confirm.mutate({ mediaId: form.mediaId })
    await owner.api.media.remove.mutate({ mediaId: form.mediaId })
    expect(lms.cloudinary.find(form.fields['public_id'] ?? '')).toBeUndefined()
    await refused(owner.api.media.remove.mutate({ mediaId: form.mediaId }), 'NOT_FOUND')
    await refused(owner.api.media.confirm.mutate({ mediaId: form.mediaId }), 'NOT_FOUND')
  })

  it('takes it off the list of what its owner keeps', async () => {
    const { owner, courseId, form } = await aFilmForm()
    const image = await uploaded(owner, `/uploads/course-image?courseId=${courseId}`, PNG)
    const listed = async () => {
      const first = await owner.api.media.list.query({ limit: 1 })
      const cursor = first.nextCursor
      const rest = cursor === null ? [] : (await owner.api.media.list.query({ cursor })).items
      return [...first.items, ...rest].map(({ mediaId, state }) => [mediaId, state])
    }
    expect(await listed()).toEqual([
      [image.mediaId, 'READY'],
      [form.mediaId, 'PENDING'],
    ])
    await owner.api.media.remove.mutate({ mediaId: form.mediaId })
    expect(await listed()).toEqual([[image.mediaId, 'READY']])
    expect((await (await anInstructor(lms)).api.media.list.query({})).items).toEqual([])
  })

  it('is finished later when Cloudinary does not answer now', async () => {
    const { owner, form } = await aFilmForm()
    await sendForm(form, mp4(75))
    await owner.api.media.confirm.mutate({ mediaId: form.mediaId })
    await lms.cloudinary.with({ faults: [UNAVAILABLE] }, () =>
      owner.api.media.remove.mutate({ mediaId: form.mediaId }),
    )
    expect(await stateOf(form.mediaId)).toBe('REMOVED')
    expect(lms.cloudinary.find(form.fields['public_id'] ?? '')).toBeDefined()
    lms.clock.advance(11 * 60)
    await lms.work()
    expect(lms.cloudinary.find(form.fields['public_id'] ?? '')).toBeUndefined()
  })

  it('also removes what comes in afterwards by a form signed before', async () => {
    const { owner, form } = await aFilmForm()
    await owner.api.media.remove.mutate({ mediaId: form.mediaId })
    await sendForm(form, mp4(75))
    expect(await tell({ body: told(form.fields['public_id']) })).toBe(200)
    expect(await stateOf(form.mediaId)).toBe('REMOVED')
    lms.clock.advance(3 * 3600)
    await lms.work()
    expect(lms.cloudinary.find(form.fields['public_id'] ?? '')).toBeUndefined()
  })

  it('takes a removed image off its course, published or not', async () => {
    const { course, owner } = await aDraft(lms)
    const image = await uploaded(owner, `/uploads/course-image?courseId=${course.id}`, PNG)
    await owner.api.courses.publish.mutate({ id: course.id })
    await owner.api.media.remove.mutate({ mediaId: image.mediaId })
    const after = await owner.api.courses.authoring.query({ courseId: course.id })
    expect([after.imageUrl, after.status, after.missing]).toEqual([null, 'PUBLISHED', []])
  })
})
