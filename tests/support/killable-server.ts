// A real server in a process of its own, killed by SIGKILL at a write of our choice: a proxy counts its
// writes to the books and, at the one that was named, kills the process instead of passing the write on.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { environmentOf, type Lms } from './harness.ts'
import { isBookWrite, startMongoProxy } from './mongo-proxy.ts'

const QUIET_MS = 400

export type KillableServer = {
  url: string
  /** Resolves when what it does at its start is over. */
  idle: () => Promise<void>
  /** Counts from now on, and kills at the nth write. */
  killAtWrite: (nth: number) => void
  /** The writes since then, as `update orders`; the last one was never made if it was killed. */
  writes: () => string[]
  /** Whether it was killed at a write. */
  isKilled: () => boolean
  /** Asks it to stop in good order, and answers its exit code. */
  stop: () => Promise<number | null>
  /** Resolves once it is gone. */
  exited: Promise<void>
  /** Kills it, if it is still there, and waits until it is gone. */
  close: () => Promise<void>
}

/** Starts it on the database of these tests and with their sandboxes. */
export async function startKillableServer(lms: Lms): Promise<KillableServer> {
  const seen: string[] = []
  let last = Number.POSITIVE_INFINITY
  let isCounting = false
  let isKilled = false
  let child: ChildProcess | null = null
  let writtenAt = Date.now()
  const url = databaseUrl(inject('mongoUrl'), lms.db.driver.databaseName)
  const proxy = await startMongoProxy(url, (command) => {
    if (!isBookWrite(command)) return 'pass'
    writtenAt = Date.now()
    if (!isCounting) return 'pass'
    seen.push(`${command.name} ${command.collection ?? ''}`)
    if (seen.length < last) return 'pass'
    isKilled = true
    child?.kill('SIGKILL')
    return 'cut'
  })
  // Nobody listens for its mails: they are not this story, and one cut off half-way would only make noise.
  const env = { ...environmentOf(lms, proxy.databaseUrl), SMTP_URL: 'smtp://127.0.0.1:9' }
  const server = spawn(process.execPath, [path.resolve('src/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child = server
  const exited = once(server, 'exit').then(() => undefined)
  return {
    url: await listening(server),
    idle: async () => {
      while (Date.now() - writtenAt < QUIET_MS) await sleep(50)
    },
    killAtWrite: (nth) => {
      seen.length = 0
      last = nth
      isCounting = true
    },
    writes: () => [...seen],
    isKilled: () => isKilled,
    stop: async () => {
      server.kill('SIGTERM')
      await exited
      return server.exitCode
    },
    exited,
    close: async () => {
      server.kill('SIGKILL')
      await exited
      proxy.close()
    },
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
