import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { openWire, request, sendRaw, type Wire } from '../support/raw.ts'
import { reasonIn } from '../support/refusals.ts'

/** The query of one lesson whose answer has a quarter of a megabyte. */
async function largeQuery(lms: Lms, times = 1): Promise<string> {
  const { course, lessonId, owner } = await aPublishedCourse(lms)
  const change = { courseId: course.id, lessonId, body: 'क'.repeat(80_000), preview: true }
  await owner.api.courses.updateLesson.mutate(change)
  const input = { json: { courseId: course.id, lessonId } }
  const inputs = Object.fromEntries(Array.from({ length: times }, (_, at) => [at, input]))
  const paths = Array.from({ length: times }, () => 'lessons.open').join(',')
  return `/trpc/${paths}?batch=1&input=${encodeURIComponent(JSON.stringify(inputs))}`
}

/** More answers than the system takes off the server's hands, to someone who reads none of them. */
function askAndNotRead(lms: Lms, path: string): Wire {
  const wire = openWire(lms.url)
  wire.socket.pause()
  wire.send(request(`GET ${path}`).repeat(60))
  return wire
}

async function untilCut({ socket, closed }: Wire): Promise<void> {
  const timer = setInterval(() => socket.write(' '), 20)
  await closed
  clearInterval(timer)
}

describe('a client that does not read', () => {
  it('is cut off, and the server keeps no answer for it', async () => {
    const lms = await startLms({ timeouts: { answer: 200, answerPace: 1e9 } })
    const path = await largeQuery(lms)
    await untilCut(askAndNotRead(lms, path))
    expect((await lms.visitor().fetch('/healthz')).status).toBe(200)
  })

  it('has the longer the larger the answer is', async () => {
    const lms = await startLms({ timeouts: { answer: 50, answerPace: 8 * 1024 } })
    const wire = askAndNotRead(lms, await largeQuery(lms))
    await pause(500)
    wire.socket.resume()
    for (let n = 0; n < 60; n += 1) expect((await wire.answer()).status).toBe(200)
    wire.socket.destroy()
  })

  it('cannot ask for many megabytes by one line', async () => {
    const lms = await startLms()
    const few = await sendRaw(lms.url, request(`GET ${await largeQuery(lms, 2)}`))
    expect([few.status, reasonIn(few.body)]).toEqual([200, null])
    const many = await sendRaw(lms.url, request(`GET ${await largeQuery(lms, 20)}`))
    expect([many.status, reasonIn(many.body)]).toEqual([413, 'ANSWER_TOO_LARGE'])
    expect(many.body.length).toBeLessThan(1_000)
  })
})

describe('one address', () => {
  it('cannot take the connections that others need', async () => {
    const lms = await startLms()
    const wires = Array.from({ length: 520 }, () => openWire(lms.url, '127.0.0.9'))
    let open = wires.length
    for (const { closed } of wires) void closed.then(() => (open -= 1))
    await Promise.race(wires.map(({ closed }) => closed))
    await expect.poll(() => open).toBe(500)
    expect((await lms.visitor().fetch('/healthz')).status).toBe(200)
    for (const { socket } of wires) socket.destroy()
  })
})
