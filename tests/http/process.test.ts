import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { openPatience } from '../../src/readiness.ts'
import { startMongoProxy } from '../support/mongo-proxy.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

// Something that no handler of ours is around: a promise nobody waits for, an error in a timer.
const FAULTS: Record<string, string> = {
  'a rejection nobody handles': 'void Promise.reject(new Error("lost"))',
  'an error thrown outside of any request': 'setTimeout(() => { throw new Error("lost") })',
}

const ENV = {
  NODE_ENV: 'test',
  PORT: '0',
  APP_URL: 'http://localhost:4000',
  CLIENT_ORIGINS: 'http://localhost:5173',
  RAZORPAY_KEY_ID: 'rzp_test_process',
  RAZORPAY_KEY_SECRET: 'key-secret-of-the-process',
  RAZORPAY_WEBHOOK_SECRETS: 'webhook-secret-of-the-process',
  RAZORPAY_API_URL: 'http://127.0.0.1:9',
  CLOUDINARY_URL: 'cloudinary://key:cloudinary-secret@sandbox?upload_prefix=http://127.0.0.1:9',
  SMTP_URL: 'smtp://127.0.0.1:9',
  MAIL_FROM: 'no-reply@gurukul.test',
}

/** The real process, which runs `fault` when it is told to. */
function start(
  fault: string,
  env: Record<string, string> = {},
): { child: ChildProcess; lines: string[]; listening: Promise<void> } {
  const preload = `data:text/javascript,process.once('message',()=>{${encodeURIComponent(fault)}})`
  const DATABASE_URL = databaseUrl(inject('mongoUrl'), 'test-process')
  const child = spawn(process.execPath, ['--import', preload, 'src/main.ts'], {
    cwd: ROOT,
    env: { ...ENV, DATABASE_URL, PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const lines: string[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    createInterface(stream).on('line', (line) => {
      lines.push(line)
      if (line.includes('"listening"')) resolve(undefined)
    })
  }
  return { child, lines, listening: promise }
}

describe('the process', () => {
  for (const [what, fault] of Object.entries(FAULTS)) {
    it(`says so and ends, to be started again, after ${what}`, async () => {
      const { child, lines, listening } = start(fault)
      onTestFinished(() => void child.kill('SIGKILL'))
      await listening
      child.send('now')
      const [code] = (await once(child, 'close')) as [number | null]
      expect(code).toBe(1)
      expect(lines.some((line) => line.includes('"level":60') && line.includes('lost'))).toBe(true)
    })
  }

  it('says so and ends, to be started again, when it was not ready for too long', async () => {
    const proxy = await startMongoProxy(
      databaseUrl(inject('mongoUrl'), 'test-process'),
      () => 'pass',
    )
    const { child, lines, listening } = start('', {
      DATABASE_URL: proxy.databaseUrl,
      READYZ_FATAL_SECONDS: '1',
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await listening
    const ended = once(child, 'close')
    // The database is gone for good; the process itself answers as ever.
    proxy.close()
    const [code] = (await ended) as [number | null]
    expect(code).toBe(1)
    const last = lines.filter((line) => line.includes('"level":60'))
    expect(last).toHaveLength(1)
    expect(last[0]).toContain('not ready for too long')
  })
})

describe('the patience with a process that is not ready', () => {
  const looks = (...given: [isReady: boolean, at: number][]) => {
    const isLost = openPatience(300)
    return given.map(([isReady, at]) => isLost(isReady, at))
  }

  it('ends when no look went well for so long', () => {
    expect(looks([true, 0], [false, 100], [false, 399], [false, 400])).toEqual([
      ...[false, false, false, true],
    ])
  })

  it('begins anew with each look that went well', () => {
    expect(looks([false, 0], [false, 299], [true, 300], [false, 350], [false, 649])).toEqual([
      ...[false, false, false, false, false],
    ])
  })
})
