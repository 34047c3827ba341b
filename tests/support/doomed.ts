// A real server in a process of its own, killed by SIGKILL at a write of our choice: it reaches its database
// through a relay that reads MongoDB's wire protocol, counts the writes and, at the one that was named, kills
// the process instead of passing the write on. Nothing in the product knows of it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ORIGIN, SECRETS, type Lms } from './harness.ts'
import { startRelay } from './relay.ts'

const QUIET_MS = 400

export type Doomed = {
  url: string
  /** Resolves when what it does at its start is over. */
  quiet: () => Promise<void>
  /** Counts from now on, and kills at the nth write. */
  dieAt: (nth: number) => void
  /** The writes since then, as `update orders`; the last one was never made if it died. */
  writes: () => string[]
  isDead: () => boolean
  /** Asks it to stop in good order, and answers its exit code. */
  stop: () => Promise<number | null>
  /** Resolves once it is gone. */
  death: Promise<void>
  end: () => Promise<void>
}

export async function startDoomed(lms: Lms): Promise<Doomed> {
  const seen: string[] = []
  let last = Number.POSITIVE_INFINITY
  let isCounting = false
  let isKilled = false
  let child: ChildProcess | null = null
  let writtenAt = Date.now()
  const relay = await startRelay((write) => {
    writtenAt = Date.now()
    if (!isCounting) return 'pass'
    seen.push(write)
    if (seen.length < last) return 'pass'
    isKilled = true
    child?.kill('SIGKILL')
    return 'drop'
  })
  const server = spawn(process.execPath, [path.resolve('src/main.ts')], {
    env: { ...environmentOf(lms), DATABASE_URL: relay.url(lms.db.driver.databaseName) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child = server
  const death = once(server, 'exit').then(() => undefined)
  const url = await listening(server)
  return {
    url,
    quiet: async () => {
      while (Date.now() - writtenAt < QUIET_MS) await sleep(50)
    },
    dieAt: (nth) => {
      seen.length = 0
      last = nth
      isCounting = true
    },
    writes: () => [...seen],
    isDead: () => isKilled,
    stop: async () => {
      server.kill('SIGTERM')
      await death
      return server.exitCode
    },
    death,
    end: async () => {
      server.kill('SIGKILL')
      await death
      relay.close()
    },
  }
}

function environmentOf(lms: Lms): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    APP_URL: 'http://localhost:4000',
    CLIENT_ORIGINS: ORIGIN,
    RAZORPAY_KEY_ID: 'rzp_test_gurukultests',
    RAZORPAY_KEY_SECRET: SECRETS.razorpayKey,
    RAZORPAY_WEBHOOK_SECRETS: SECRETS.webhook,
    RAZORPAY_API_URL: lms.razorpay.url,
    CLOUDINARY_URL: lms.cloudinary.cloudinaryUrl,
    // Nobody listens there: mails are not this story, and one cut off half-way would only make noise.
    SMTP_URL: 'smtp://127.0.0.1:9',
    MAIL_FROM: 'Gurukul <no-reply@gurukul.test>',
    REQUESTS_PER_MINUTE: '100000',
  }
}

function listening(server: ChildProcess): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const url = /"url":"(http:[^"]+)".*"msg":"listening"/.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('exit', () => {
      reject(new Error(`the server did not start: ${output}`))
    })
  })
}
