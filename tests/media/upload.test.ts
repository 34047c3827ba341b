import { beforeAll, describe, expect, it } from 'vitest'
import { upload } from '../support/builders/media.ts'
import { aDraft } from '../support/builders/courses.ts'
import {
  FILE_HEAD,
  formOf,
  openPost,
  postForm,
  refusedUpload,
  uploaded,
} from '../support/builders/media.ts'
import { aStudent } from '../support/builders/people.ts'
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

describe('an upload', () => {
  it('sets an avatar, and removes the one before', async () => {
    const student = await aStudent(lms)
    const first = await uploaded(student, '/uploads/avatar', PNG)
    expect(first).toMatchObject({ purpose: 'avatar', state: 'READY', format: 'png', width: 1 })
    expect((await fetch(first.url ?? '')).status).toBe(200)
    const second = await uploaded(student, '/uploads/avatar', PNG)
    expect((await student.api.auth.me.query())?.user.avatarUrl).toBe(second.url)
    lms.clock.advance(3 * 3600)
    await lms.work()
    expect((await fetch(first.url ?? '')).status).toBe(404)
    expect((await fetch(second.url ?? '')).status).toBe(200)
    expect(await lms.db.orm.media.where({ _id: first.mediaId }).first()).toBeNull()
  })

  it('of an avatar goes with the account', async () => {
    const student = await aStudent(lms)
    const { url } = await uploaded(student, '/uploads/avatar', PNG)
    await student.api.account.delete.mutate({ password: student.password })
    lms.clock.advance(3 * 3600)
    await lms.work()
    expect((await fetch(url ?? '')).status).toBe(404)
  })

  it('sets a course’s image', async () => {
    const { course, owner } = await aDraft(lms)
    expect(course.imageUrl).toBeNull()
    const image = await uploaded(owner, `/uploads/course-image?courseId=${course.id}`, PNG)
    const published = await owner.api.courses.publish.mutate({ id: course.id })
    expect(published.imageUrl).toBe(image.url)
  })

  it('brings a lesson its video, of which nobody gets a plain link', async () => {
    const { course, sectionId, owner } = await aDraft(lms)
    const courseId = course.id
    const media = await uploaded(
      owner,
      `/uploads/lesson-video?courseId=${courseId}`,
      mp4(90, 20_000_000),
    )
    expect(media).toMatchObject({
      bytes: 20_000_000,
      format: 'mp4',
      durationSeconds: 90,
      url: null,
    })
    const lesson = await owner.api.courses.addLesson.mutate({
      ...{ courseId, sectionId, title: 'Film', kind: 'VIDEO', mediaId: media.mediaId },
    })
    expect(lesson.durationSeconds).toBe(90)
    const row = await lms.db.orm.media.where({ _id: media.mediaId }).first()
    expect(lms.cloudinary.find(row?.publicId ?? '')?.type).toBe('authenticated')
  })

  it('keeps a file under an id of ours, whatever its sender calls it', async () => {
    const { course, owner } = await aDraft(lms)
    const path = `/uploads/lesson-file?courseId=${course.id}`
    const names = ['../../etc/passwd', '..%2f..%2f', '.htaccess', 'x'.repeat(300), 'a\\"b.html']
    for (const filename of names) {
      const response = await postForm(owner, path, formOf([{ filename, content: PDF }]))
      const { mediaId } = (await response.json()) as { mediaId: string }
      const row = await lms.db.orm.media.where({ _id: mediaId }).first()
      expect(row?.publicId).toMatch(/^lesson-file\/[0-9a-f]{30}\.pdf$/)
      expect(lms.cloudinary.find(row?.publicId ?? '')).toBeDefined()
    }
  })
})

describe('an upload that does not come to its end', () => {
  it('leaves nothing behind when its sender goes', async () => {
    const { course, owner } = await aDraft(lms)
    const before = await stored()
    const started = uploadsAtCloudinary()
    const film = mp4(60, 30_000_000)
    const { request } = openPost(lms, owner, `/uploads/lesson-video?courseId=${course.id}`)
    request.write(FILE_HEAD)
    request.write(film.subarray(0, 20_000_000))
    await expect.poll(uploadsAtCloudinary).toBeGreaterThan(started)
    request.destroy()
    await expect.poll(async () => (await stored()).rows).toBe(before.rows)
    lms.clock.advance(3 * 3600)
    await lms.work()
    expect((await stored()).assets).toBe(before.assets)
    expect(await lms.db.orm.media.where({ state: 'REMOVED' }).first()).toBeNull()
  })

  it('is refused when Cloudinary fails, and can be repeated', async () => {
    lms.expectErrors()
    const student = await aStudent(lms)
    const fault = { on: 'upload', kind: 'status', status: 503, times: 3 } as const
    await lms.cloudinary.with({ faults: [fault] }, () =>
      refusedUpload(upload(student, '/uploads/avatar', PNG), 502, 'MEDIA_GATEWAY_DOWN'),
    )
    expect((await student.api.auth.me.query())?.user.avatarUrl).toBeNull()
    await uploaded(student, '/uploads/avatar', PNG)
  })
})

describe('uploads at the same moment', () => {
  it('leave one avatar, and the file it shows', async () => {
    const student = await aStudent(lms)
    await Promise.all(Array.from({ length: 3 }, () => uploaded(student, '/uploads/avatar', PNG)))
    const url = (await student.api.auth.me.query())?.user.avatarUrl
    const ready = await lms.db.orm.media.where({ ownerId: student.user.id, state: 'READY' }).all()
    expect(ready).toHaveLength(1)
    expect(url).toContain(ready[0]?.publicId)
    expect((await fetch(url ?? '')).status).toBe(200)
  })
})
