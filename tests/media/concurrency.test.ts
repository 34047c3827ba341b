import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import { FILE_HEAD, openPost, refusedUpload, upload, uploaded } from '../support/builders/media.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PNG } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const END = '\r\n--a-boundary-of-the-tests--\r\n'

/** An upload that has begun; of those that are let in, nothing is heard before they end. */
function begin(person: Person, at = lms) {
  const { request, answered } = openPost(at, person, '/uploads/avatar')
  let status: number | null = null
  void answered.then((answer) => (status = answer))
  request.write(FILE_HEAD)
  request.write(PNG)
  return { status: () => status, answered, end: () => request.end(END) }
}

const counted = (statuses: (number | null)[], status: number | null) =>
  statuses.filter((one) => one === status).length

describe('uploads of one account', () => {
  it('are three at a time, and a fourth is refused before its body is read', async () => {
    const student = await aStudent(lms)
    const begun = Array.from({ length: 20 }, () => begin(student))
    await expect
      .poll(() =>
        counted(
          begun.map(({ status }) => status()),
          429,
        ),
      )
      .toBe(17)
    const refusal = await upload(student, '/uploads/avatar', PNG)
    expect([refusal.status, refusal.headers.get('retry-after')]).toEqual([429, '10'])
    for (const { status, end } of begun) if (status() === null) end()
    const ends = await Promise.all(begun.map(({ answered }) => answered))
    expect(counted(ends, 201)).toBe(3)
    await uploaded(student, '/uploads/avatar', PNG)
  })

  it('end with those that fail', async () => {
    const student = await aStudent(lms)
    for (let n = 0; n < 5; n += 1)
      await refusedUpload(
        upload(student, '/uploads/avatar', Buffer.from('no picture')),
        415,
        'FILE_TYPE_REFUSED',
      )
  })
})

describe('uploads of everybody', () => {
  it('are so many at a time, and students’ do not keep authors out', async () => {
    const { course, owner } = await aDraft(lms)
    const students = await Promise.all(Array.from({ length: 11 }, () => aStudent(lms)))
    const begun = students.flatMap((student) => [begin(student), begin(student), begin(student)])
    await expect
      .poll(() =>
        counted(
          begun.map(({ status }) => status()),
          429,
        ),
      )
      .toBe(3)
    await uploaded(owner, `/uploads/course-image?courseId=${course.id}`, PNG)
    for (const { end } of begun) end()
    const ends = await Promise.all(begun.map(({ answered }) => answered.catch(() => 429)))
    expect(counted(ends, 201)).toBe(30)
  })
})

describe('an upload that trickles', () => {
  it('is told so, and gives its place back', async () => {
    const hasty = await startLms({ timeouts: { uploadMinimumRate: { bytes: 1_000, seconds: 1 } } })
    const student = await aStudent(hasty)
    const trickles = [begin(student, hasty), begin(student, hasty), begin(student, hasty)]
    expect(await Promise.all(trickles.map(({ answered }) => answered))).toEqual([408, 408, 408])
    await uploaded(student, '/uploads/avatar', PNG)
  })
})
