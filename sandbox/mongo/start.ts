import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { ConnectionString } from 'mongodb-connection-string-url'

export type Mongo = {
  /** Names the server and no database; see `databaseUrl`. */
  url: string
  databaseUrl: (name: string) => string
  pid: number
  /** Stops the server in good order, and removes its directory if it was a temporary one. */
  close: () => Promise<void>
  /** Ends the server's process at once. */
  kill: () => void
}

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000

/** The address of one database on the server that `url` names. */
export function databaseUrl(url: string, name: string): string {
  const address = new ConnectionString(url)
  address.pathname = `/${name}`
  return address.href
}

function startServer(args: string[]): ChildProcessWithoutNullStreams {
  const script = path.join(import.meta.dirname, 'server.ts')
  return spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
}

/** The port, once the server answers on it. */
function waitUntilReady(server: ChildProcessWithoutNullStreams): Promise<number> {
  let output = ''
  let complaints = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-8_000)
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      server.kill('SIGKILL')
      reject(new Error(`MongoDB was not ready in ${START_TIMEOUT_MS} ms. ${complaints}`))
    }, START_TIMEOUT_MS)
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.includes('\n')) return
      output += text
      const ready = /^{.*}$/m.exec(output)
      if (ready === null) return
      clearTimeout(timer)
      resolve((JSON.parse(ready[0]) as { port: number }).port)
    })
    server.once('error', reject)
    server.once('close', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(complaints.trim() || `MongoDB stopped at once (${String(signal ?? code)}).`))
    })
  })
}

/**
 * Starts a MongoDB on 127.0.0.1 in a process of its own, keeping its data in `dir`, or in a temporary
 * directory that goes with it. It stops with this process, whatever becomes of that.
 */
export async function startMongo(options: { dir?: string; port?: number } = {}): Promise<Mongo> {
  const temporary =
    options.dir === undefined ? await mkdtemp(path.join(os.tmpdir(), 'gurukul-mongo-')) : undefined
  const removeTemporary = async (): Promise<void> => {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  }
  const dir = path.resolve(options.dir ?? temporary ?? '')
  const server = startServer([
    dir,
    String(options.port ?? 0),
    ...(temporary === undefined ? [] : ['temporary']),
  ])
  let isExpectedToStop = false

  let port: number
  try {
    port = await waitUntilReady(server)
  } catch (error) {
    await removeTemporary()
    throw error
  }

  server.once('exit', (code, signal) => {
    if (!isExpectedToStop)
      console.error(`MongoDB stopped unexpectedly (${String(signal ?? code)}).`)
  })
  const hasStopped = (): boolean => server.exitCode !== null || server.signalCode !== null
  const close = async (): Promise<void> => {
    isExpectedToStop = true
    if (!hasStopped()) {
      const stopped = once(server, 'exit')
      server.stdin.end()
      const timer = setTimeout(() => server.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await stopped
      clearTimeout(timer)
    }
    await removeTemporary()
  }

  const url = `mongodb://127.0.0.1:${port}/?directConnection=true&w=majority`
  return {
    url,
    databaseUrl: (name) => databaseUrl(url, name),
    pid: server.pid ?? 0,
    close,
    kill: () => {
      isExpectedToStop = true
      server.kill('SIGKILL')
    },
  }
}
