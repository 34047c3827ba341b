// The bytes that a server keeps for those who do not take their answers, on an app of its own: the product's
// largest answers are so small that the system's buffers take some dozen of them.
import type { AddressInfo } from 'node:net'
import express from 'express'
import { beforeAll, expect, it } from 'vitest'
import type { Caller } from '../../src/http/at-once.ts'
import { limitHeldAnswers } from '../../src/http/held-answers.ts'
import { closeAfterwards } from '../support/closing.ts'
import { openWire, request, sendRaw } from '../support/raw.ts'
import { reasonIn } from '../support/refusals.ts'

const MB = 1024 * 1024

let url: string
beforeAll(async () => {
  const app = express()
  app.use(
    limitHeldAnswers((req): Promise<Caller> => {
      const account = req.get('account') ?? null
      return Promise.resolve({ account, network: '127.0.0.1' })
    }),
  )
  app.get('/:megabytes', (req, res) => {
    res.end('x'.repeat(Number(req.params.megabytes) * MB))
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  closeAfterwards(() => server.close())
})

const ask = (megabytes: number, account: string) =>
  request(`GET /${megabytes}`, [`Account: ${account}`])

/** Asks and reads nothing; what is kept is known once the first bytes are there. */
async function askAndNotRead(megabytes: number, account: string) {
  const wire = openWire(url)
  wire.send(ask(megabytes, account))
  await new Promise((resolve) => wire.socket.once('readable', resolve))
  wire.socket.pause()
  return wire
}

async function answerTo(megabytes: number, account: string): Promise<string> {
  const { status, body } = await sendRaw(url, ask(megabytes, account))
  return status === 200 ? `${body.length / MB} MB` : `${status} ${String(reasonIn(body))}`
}

it('has 32 MB kept for one caller, and others are served meanwhile', async () => {
  const wires = [await askAndNotRead(15, 'asha'), await askAndNotRead(15, 'asha')]
  expect(await answerTo(3, 'asha')).toBe('429 TOO_MANY_REQUESTS')
  expect(await answerTo(1, 'asha')).toBe('1 MB')
  expect(await answerTo(3, 'ravi')).toBe('3 MB')
  for (const { socket } of wires) socket.destroy()
  await expect.poll(() => answerTo(3, 'asha')).toBe('3 MB')
})

it('has 192 MB kept for all callers together', async () => {
  const wires = []
  for (let n = 0; n < 6; n += 1) wires.push(await askAndNotRead(31, `caller ${n}`))
  expect(await answerTo(7, 'asha')).toBe('503 UNAVAILABLE')
  for (const { socket } of wires) socket.destroy()
  await expect.poll(() => answerTo(7, 'asha')).toBe('7 MB')
})

it('counts nothing of what the system takes at once', async () => {
  const wires = [await askAndNotRead(31, 'asha')]
  const answers = await Promise.all(Array.from({ length: 100 }, () => answerTo(0, 'asha')))
  expect(new Set(answers)).toEqual(new Set(['0 MB']))
  for (const { socket } of wires) socket.destroy()
})
