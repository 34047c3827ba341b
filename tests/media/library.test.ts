import { beforeAll, describe, expect, it } from 'vitest'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { sendForm, uploaded } from '../support/builders/media.ts'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { mp4, PNG } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('what an account keeps', () => {
  it('is listed to a student too, who can remove it', async () => {
    const student = await aStudent(lms)
    const { mediaId, url } = await uploaded(student, '/uploads/avatar', PNG)
    const { items } = await student.api.media.list.query()
    expect(items).toMatchObject([{ mediaId, purpose: 'avatar', url }])
    const other = await aStudent(lms)
    await refused(other.api.media.remove.mutate({ mediaId }), 'NOT_FOUND')
    await student.api.media.remove.mutate({ mediaId })
    expect((await student.api.auth.me.query())?.user.avatarUrl).toBeNull()
    expect((await student.api.media.list.query({})).items).toEqual([])
  })

  it('for a course is its owner’s to list and remove, whoever uploaded it', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    const courseId = course.id
    const admin = await anAdmin(lms)
    const path = `/uploads/lesson-video?courseId=${courseId}`
    const { mediaId } = await uploaded(admin, path, mp4(30))
    expect((await owner.api.media.list.query({})).items).toEqual([])
    const { items } = await owner.api.media.list.query({ courseId })
    expect(items.map((one) => one.mediaId)).toEqual([mediaId])
    const [other, student] = [await anInstructor(lms), await aStudent(lms)]
    for (const { api } of [other, student]) {
      await refused(api.media.list.query({ courseId }), 'FORBIDDEN')
      await refused(api.media.remove.mutate({ mediaId }), 'NOT_FOUND')
    }
    await owner.api.media.remove.mutate({ mediaId })
    expect((await admin.api.media.list.query({ courseId })).items).toEqual([])
  })
})

describe('the sweep of uploads that nobody confirmed', () => {
  it('puts those at the end of its queue that Cloudinary cannot tell of', async () => {
    const owner = await anInstructor(lms)
    const form = await owner.api.media.signUpload.mutate({ purpose: 'avatar' })
    await sendForm(form, PNG)
    lms.clock.advance(25 * 3600)
    const fault = { on: 'admin', kind: 'status', status: 503, times: 99 } as const
    await lms.cloudinary.with({ faults: [fault] }, lms.work)
    const row = await lms.db.orm.media.where({ _id: form.mediaId }).first()
    expect(row?.state).toBe('PENDING')
    expect(lms.clock.now().getTime() - (row?.updatedAt.getTime() ?? 0)).toBeLessThan(60_000)
  })
})
