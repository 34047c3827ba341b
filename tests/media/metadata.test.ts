import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import { sendForm, uploaded } from '../support/builders/media.ts'
import { aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PHOTOGRAPH } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const NOTES = [
  'Exif\0\0',
  'Asha Rao',
  'SN-0042',
  'GPS 12.97 N 77.59 E',
  'http://ns.adobe.com/xap/1.0/',
]

async function bytesAt(url: string | null): Promise<string> {
  const response = await fetch(url ?? '')
  expect([url, response.status]).toEqual([url, 200])
  return Buffer.from(await response.arrayBuffer()).toString('latin1')
}

/** Every way to the original that its public address suggests. */
function waysToOriginal(url: string): string[] {
  const bare = url.replace(/\/(s--[\w-]+--\/)?c_[^/]+\//, '/')
  return [
    bare,
    `${bare}.jpg`,
    bare.replace('/private/', '/upload/'),
    bare.replace('/private/', '/authenticated/'),
    bare.replace(/\/v\d+\//, '/'),
    bare.replace('/v', '/fl_attachment/v'),
    url.replace(/c_[^/]+/, 'fl_attachment'),
  ]
}

async function showsNoNotes(url: string | null): Promise<void> {
  const shown = await bytesAt(url)
  expect(shown.slice(0, 2)).toBe('\xff\xd8')
  expect(NOTES.filter((note) => shown.includes(note))).toEqual([])
  for (const way of waysToOriginal(url ?? '')) {
    const { status } = await fetch(way)
    expect([way, status]).toEqual([way, expect.toBeOneOf([401, 404])])
  }
}

describe('what a camera noted in a picture', () => {
  it('is in the photograph of this test', () => {
    const sent = PHOTOGRAPH.toString('latin1')
    expect(NOTES.filter((note) => sent.includes(note))).toEqual(NOTES)
  })

  it('is shown to nobody of an avatar', async () => {
    const student = await aStudent(lms)
    const { url } = await uploaded(student, '/uploads/avatar', PHOTOGRAPH)
    await showsNoNotes(url)
    expect((await student.api.auth.me.query())?.user.avatarUrl).toBe(url)
  })

  it('is shown to nobody of a course’s picture, however it was uploaded', async () => {
    const { course, owner } = await aDraft(lms)
    const courseId = course.id
    const { url } = await uploaded(owner, `/uploads/course-image?courseId=${courseId}`, PHOTOGRAPH)
    await showsNoNotes(url)
    lms.clock.advance(1)
    const form = await owner.api.media.signUpload.mutate({ purpose: 'course-image', courseId })
    expect(await sendForm(form, PHOTOGRAPH)).toBe(200)
    const media = await owner.api.media.confirm.mutate({ mediaId: form.mediaId })
    await showsNoNotes(media.url)
    const { imageUrl } = await owner.api.courses.authoring.query({ courseId })
    expect(imageUrl).toBe(media.url)
  })
})
