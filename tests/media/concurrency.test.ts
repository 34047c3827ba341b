import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import { FILE_HEAD, openPost, refusedUpload, upload, uploaded } from '../support/builders/media.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { openUploadsAtOnce } from '../../src/media/concurrency.ts'
import { PNG } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

const END = '\r\n--a-boundary-of-the-tests--\r\n'

/** An upload that has begun; of those that are let in, nothing is heard before they end. */
function begin(person: Person, at = lms, network = '127.0.0.1') {
  const headers = { 'x-forwarded-for': network }
  const { request, answered } = openPost(at, person, '/uploads/avatar', headers)
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

type Begun = ReturnType<typeof begin>

const running = (begun: Begun[]) =>
  counted(
    begun.map(({ status }) => status()),
    null,
  )

const students = (count: number) => Promise.all(Array.from({ length: count }, () => aStudent(lms)))

/** Ends what still runs, so that the next test finds every place free. */
async function endAll(begun: Begun[]): Promise<number[]> {
  for (const { status, end } of begun) if (status() === null) end()
  return Promise.all(begun.map(({ answered }) => answered.catch(() => 429)))
}

describe('uploads of everybody', () => {
  it('are never closed by ten accounts of three slow ones each, to nobody anywhere', async () => {
    const crowd = await students(10)
    const network = '203.0.113.1'
    const slow = crowd.flatMap((one) => [
      begin(one, lms, network),
      begin(one, lms, network),
      begin(one, lms, network),
    ])
    await expect.poll(() => running(slow)).toBe(20)
    const [neighbour, other] = await students(2)
    if (!neighbour || !other) throw new Error('they are two')
    const honest = begin(neighbour, lms, network)
    honest.end()
    expect(await honest.answered).toBe(201)
    await uploaded(other, '/uploads/avatar', PNG)
    expect(counted(await endAll(slow), 201)).toBe(19)
  })

  it('are shared by the networks they come from, and students’ do not keep authors out', async () => {
    const { course, owner } = await aDraft(lms)
    const crowd = await students(21)
    const begun = crowd.map((one) => begin(one, lms, '203.0.113.1'))
    await expect.poll(() => running(begun)).toBe(20)
    const later = (await students(12)).map((one) => begin(one, lms, '203.0.113.2'))
    // All thirty places are taken by then, and the first network has more than it would have fairly.
    await expect.poll(() => running(begun)).toBe(18)
    expect(running(later)).toBe(12)
    await uploaded(owner, `/uploads/course-image?courseId=${course.id}`, PNG)
    expect(counted(await endAll(begun), 201)).toBe(18)
    expect(counted(await endAll(later), 201)).toBe(12)
  })
})

describe('a place for an upload', () => {
  const places = () => {
    let now = 0
    const uploads = openUploadsAtOnce(() => now)
    return {
      wait: (milliseconds: number) => (now += milliseconds),
      begin: (account: string, bytes: number, network = 'one') =>
        uploads.begin('own', { account, network }, () => bytes).displaced,
    }
  }
  const FAST = 1024 * 1024
  const SLOW = 1024

  it('is kept by whoever sends as fast as a slow phone, however many want it', () => {
    const { wait, begin } = places()
    const displaced = Array.from({ length: 20 }, (_, n) => begin(`account ${n}`, FAST))
    wait(10_000)
    expect(() => begin('newcomer', 0)).toThrow('Too many')
    expect(displaced.some(({ aborted }) => aborted)).toBe(false)
    begin('newcomer', 0, 'another')
  })

  it('goes from the slowest to the next, once it had the time to show its pace', () => {
    const { wait, begin } = places()
    const slow = begin('slow', SLOW)
    const slower = begin('slower', SLOW / 2)
    for (let n = 0; n < 18; n += 1) begin(`account ${n}`, FAST)
    wait(4_000)
    expect(() => begin('newcomer', 0)).toThrow('Too many')
    wait(1_000)
    begin('newcomer', 0)
    expect([slow.aborted, slower.aborted]).toEqual([false, true])
  })

  it('is no account’s where another has none and it has two', () => {
    const { begin } = places()
    const first = begin('greedy', FAST)
    begin('greedy', FAST * 2)
    for (let n = 0; n < 18; n += 1) begin(`account ${n}`, FAST)
    begin('newcomer', 0)
    expect(first.aborted).toBe(true)
    expect(() => begin('greedy', 0)).toThrow('Too many')
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
