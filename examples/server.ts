import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'

const START_SECONDS = 90

/** Uses the server that runs at `url`, or starts one for as long as the demo takes. */
export async function ensureServer(url: string): Promise<{ stop: () => Promise<void> }> {
  if (await isReady(url)) {
    console.log(`Playing the journey against ${url}`)
    return { stop: () => Promise.resolve() }
  }
  console.log(`No server runs at ${url}: starting one`)
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../sandbox/dev.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GURUKUL_WATCH: 'no' },
  })
  const stop = async () => {
    if (child.exitCode !== null || !child.kill('SIGTERM')) return
    await once(child, 'exit')
  }
  if (await becomesReady(url, child)) return { stop }
  await stop()
  throw new Error('The server did not start')
}

/** False when the process ended, or was not ready in time. */
export async function becomesReady(url: string, child: ChildProcess): Promise<boolean> {
  const lookedUntil = Date.now() + START_SECONDS * 1_000
  while (child.exitCode === null && Date.now() < lookedUntil) {
    if (await isReady(url)) return true
    await setTimeout(200)
  }
  return false
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}
