import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

/** Where the sandbox keeps its data, and says what of it is running. */
export const SANDBOX_DIR = path.resolve(
  process.env['SANDBOX_DIR'] ?? path.join(import.meta.dirname, '..', '.sandbox'),
)

const FILE = path.join(SANDBOX_DIR, 'running.json')

const Running = z.object({
  pid: z.int(),
  env: z.record(z.string(), z.string()),
  notes: z.array(z.string()),
})

/** A sandbox that runs: the environment a server needs to use it, and a line to read about each part. */
export type Running = z.infer<typeof Running>

/** The sandbox of another process, if one is running. */
export async function findRunning(): Promise<Running | null> {
  try {
    const running = Running.parse(JSON.parse(await readFile(FILE, 'utf8')))
    process.kill(running.pid, 0)
    return running
  } catch {
    return null
  }
}

export async function announce(running: Running): Promise<void> {
  await mkdir(SANDBOX_DIR, { recursive: true })
  await writeFile(FILE, JSON.stringify(running, null, 2), { mode: 0o600 })
}

export async function unannounce(): Promise<void> {
  await rm(FILE, { force: true })
}
