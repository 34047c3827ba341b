import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createTRPCClient, httpLink } from '@trpc/client'
import superjson from 'superjson'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { becomesReady } from '../examples/server.ts'
import type { AppRouter } from '../src/router.ts'

const PARTS = 6
let env: NodeJS.ProcessEnv
let url: string
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'gurukul-dev-'))
  const port = await freePorts(PARTS)
  url = `http://127.0.0.1:${port}`
  env = {
    ...process.env,
    NODE_ENV: 'development',
    CLOUDINARY_URL: '',
    APP_URL: url,
    PORT: String(port),
    SANDBOX_PORT: String(port + 1),
    SANDBOX_DIR: dir,
    GURUKUL_WATCH: 'no',
    LOG_LEVEL: 'warn',
  }
})

afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

test('a stranger plays the whole journey, and finds its data the next day', async () => {
  const first = await startDev()
  const demo = await promisify(execFile)(process.execPath, ['examples/demo.ts'], { env })
  expect(demo.stdout).toContain('Every step went as it should.')
  expect(demo.stdout).not.toContain('✗')
  const before = await titles()
  expect(await first.stop()).toBe(0)

  const second = await startDev()
  expect(await titles()).toEqual(before)
  expect(await second.stop()).toBe(0)
  expect(first.output()).toMatch(/MongoDB .*\n.*Razorpay .*\n.*Cloudinary .*\n.*Mail /)
}, 120_000)

test('a first run that was stopped half-way is begun again', async () => {
  // What a run leaves behind that died while it made the catalogue.
  await writeFile(path.join(dir, 'seeding'), '')
  const run = await startDev()
  expect(await titles()).toHaveLength(3)
  expect(await run.stop()).toBe(0)
}, 60_000)

test('the demo says so when a step fails', async () => {
  const nobody = { ...env, APP_URL: url, SANDBOX_PORT: 'none' }
  const run = promisify(execFile)(process.execPath, ['examples/demo.ts'], { env: nobody })
  await expect(run).rejects.toMatchObject({ code: 1 })
}, 60_000)

async function startDev() {
  const child = spawn(process.execPath, ['sandbox/dev.ts'], { env, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  expect(await becomesReady(url, child), output).toBe(true)
  return { output: () => output, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<unknown> {
  child.kill('SIGTERM')
  return (await once(child, 'exit'))[0]
}

async function titles(): Promise<string[]> {
  const api = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson })],
  })
  const { items } = await api.courses.list.query({})
  return items.map(({ title }) => title)
}

/** The first of so many ports in a row that nobody listens on. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 30_000)
    const taken = await Promise.all(Array.from({ length: count }, (_, n) => isTaken(first + n)))
    if (!taken.includes(true)) return first
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => {
      resolve(true)
    })
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(false)
      })
    })
  })
}
