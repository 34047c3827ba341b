import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { upload } from '../support/builders/media.ts'
import { aDraft, aPublishedCourse } from '../support/builders/courses.ts'
import {
  FILE_HEAD,
  formOf,
  openPost,
  postForm,
  refusedUpload,
  uploaded,
} from '../support/builders/media.ts'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { mp4, PNG, PDF } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const uploadsAtCloudinary = () =>
  lms.cloudinary.requests.filter(({ path }) => path.endsWith('/upload')).length

/** Every asset and every row that is not on its way out. */
async function stored() {
  const rows = await lms.db.driver.collection('media').find({}).toArray()
  return {
    assets: lms.cloudinary.assets().length,
    parts: await lms.cloudinary.countParts(),
    rows: rows.filter(({ state }) => state !== 'REMOVED').length,
  }
}

describe('an upload is refused', () => {
  it('to whoever may not make it, before its body is read', async () => {
    const { course } = await aPublishedCourse(lms)
    const draft = await aDraft(lms)
    const other = await anInstructor(lms)
    const path = `/uploads/lesson-video?courseId=${course.id}`
    const before = uploadsAtCloudinary()
    const cases = [
      [lms.visitor(), path, 401],
      [await aStudent(lms), path, 403],
      [other, path, 403],
      [other, `/uploads/lesson-video?courseId=${draft.course.id}`, 404],
      [other, `/uploads/lesson-video?courseId=${'0'.repeat(24)}`, 404],
      [other, '/uploads/lesson-video', 400],
      [other, '/uploads/lesson-video?courseId[$ne]=x', 400],
      [other, '/uploads/anything', 404],
    ] as const
    for (const [visitor, at, status] of cases) {
      // Only the head of a form is ever sent: an answer shows that no more was waited for.
      const { request, answered } = openPost(lms, visitor, at)
      request.write(FILE_HEAD)
      expect([at, await answered]).toEqual([at, status])
      request.destroy()
    }
    expect(uploadsAtCloudinary()).toBe(before)
  })

  it('from a page of another origin', async () => {
    const student = await aStudent(lms)
    const headers = { origin: 'https://evil.test' }
    const body = new FormData()
    body.set('file', new Blob([new Uint8Array(PNG)]), 'a.png')
    await refusedUpload(
      student.fetch('/uploads/avatar', { method: 'POST', body, headers }),
      403,
      'ORIGIN_REFUSED',
    )
  })

  it('for what its bytes are, whatever its name and declared type say', async () => {
    const { course, owner } = await aDraft(lms)
    const before = await stored()
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script/></svg>'
    const page = '<!doctype html><script>alert(1)</script>'
    const polyglot = Buffer.concat([Buffer.from('GIF89a/*'), Buffer.from('*/=1;alert(1)')])
    const disguised = Buffer.concat([PNG, Buffer.from(page)])
    const exe = Buffer.concat([Buffer.from('MZ'), randomBytes(500)])
    const zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(500)])
    const film = Buffer.concat([mp4(1).subarray(0, 24), Buffer.from(page)])
    const cases = [
      ...[svg, page, polyglot, disguised, exe, zip, PDF, mp4(1), '', 'http://169.254.169.254/'].map(
        (content) => ['course-image', content] as const,
      ),
      ['lesson-video', film],
      ['lesson-video', PNG],
      ['lesson-file', zip],
      ['lesson-file', page],
      ['lesson-file', Buffer.concat([Buffer.from(' '), PDF])],
    ] as const
    for (const [purpose, content] of cases) {
      const body = formOf([{ filename: 'cover.png', type: 'image/png', content }])
      const path = `/uploads/${purpose}?courseId=${course.id}`
      await refusedUpload(postForm(owner, path, body), 415, 'FILE_TYPE_REFUSED')
    }
    expect(await stored()).toEqual(before)
  })

  it('for a small file that unfolds to billions of pixels', async () => {
    const bomb = Buffer.from(PNG)
    bomb.writeUInt32BE(50_000, 16)
    bomb.writeUInt32BE(50_000, 20)
    const student = await aStudent(lms)
    await refusedUpload(upload(student, '/uploads/avatar', bomb), 413, 'FILE_TOO_LARGE')
  })

  it('for one byte too many, told or not, and nothing is stored', async () => {
    const { course, owner } = await aDraft(lms)
    const before = await stored()
    const limit = 8 * 1024 * 1024
    const path = `/uploads/course-image?courseId=${course.id}`
    const image = (bytes: number) => Buffer.concat([PNG, Buffer.alloc(bytes - PNG.length)])
    await refusedUpload(upload(owner, path, image(limit + 1)), 413, 'FILE_TOO_LARGE')
    await refusedUpload(upload(owner, path, image(2 * limit)), 413, 'FILE_TOO_LARGE')
    const { request, answered } = openPost(lms, owner, path)
    request.end(formOf([{ filename: 'a.png', content: image(limit + 1) }]))
    expect(await answered).toBe(413)
    expect(await stored()).toEqual(before)
    await uploaded(owner, path, image(limit))
  })

  it('for a form that is anything but one file', async () => {
    const student = await aStudent(lms)
    const before = await stored()
    const file = { filename: 'a.png', content: PNG }
    const bad = (parts: Parameters<typeof formOf>[0]) =>
      refusedUpload(postForm(student, '/uploads/avatar', formOf(parts)), 400, 'INVALID_INPUT')
    await bad([])
    await bad([{ ...file, name: 'image' }])
    await bad([file, file])
    await bad([file, { name: 'purpose', content: 'lesson-video' }])
    await bad([{ name: 'file', content: 'https://169.254.169.254/latest' }])
    await bad([{ name: 'public_id', content: 'mine' }, file])
    expect(await stored()).toEqual(before)
  })

  it('for a body that is no form, or a broken one', async () => {
    const student = await aStudent(lms)
    const before = await stored()
    const form = formOf([{ filename: 'a.png', content: PNG }])
    const post = (body: Buffer, type?: string) => postForm(student, '/uploads/avatar', body, type)
    await refusedUpload(post(PNG, 'image/png'), 415, 'UNSUPPORTED_MEDIA_TYPE')
    await refusedUpload(post(form, 'application/json'), 415, 'UNSUPPORTED_MEDIA_TYPE')
    await refusedUpload(post(form, 'multipart/form-data'), 400, 'MALFORMED_REQUEST')
    await refusedUpload(post(form.subarray(0, -30)), 400, 'MALFORMED_REQUEST')
    await refusedUpload(post(Buffer.from('nonsense')), 400, 'MALFORMED_REQUEST')
    expect((await student.fetch('/uploads/avatar')).status).toBe(405)
    expect(await stored()).toEqual(before)
  })

  it('to an account that keeps as much as it may', async () => {
    const student = await aStudent(lms)
    const { mediaId } = await uploaded(student, '/uploads/avatar', PNG)
    await lms.db.driver
      .collection('media')
      .updateMany({ publicId: { $regex: '^avatar/' } }, { $set: { bytes: 20 * 1024 * 1024 } })
    await refusedUpload(upload(student, '/uploads/avatar', PNG), 429, 'QUOTA_REACHED')
    await (await anAdmin(lms)).api.media.remove.mutate({ mediaId })
    await uploaded(student, '/uploads/avatar', PNG)
  })
})
