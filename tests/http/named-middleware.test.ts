import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { aStudent } from '../support/builders/people.ts'
import { ORIGIN, startLms, type Lms } from '../support/harness.ts'
import { request, sendRaw } from '../support/raw.ts'
import { reasonIn } from '../support/refusals.ts'

// One test for each package the product was asked to use, on what comes of that package alone: taken out of
// the code, its test fails.
let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const get = (path: string, headers: string[] = []) =>
  sendRaw(lms.url, request(`GET ${path}`, headers))

describe('what is named is used', () => {
  it('helmet: every answer carries the headers it sets without being told', async () => {
    const { headers } = await get('/healthz')
    expect(headers.get('origin-agent-cluster')).toBe('?1')
    expect(headers.get('x-dns-prefetch-control')).toBe('off')
    expect(headers.get('x-permitted-cross-domain-policies')).toBe('none')
    expect(headers.get('strict-transport-security')).toContain('includeSubDomains')
  })

  it('express-rate-limit: requests above the limit are refused, and the limit is announced', async () => {
    const small = await startLms({ env: { REQUESTS_PER_MINUTE: '2' } })
    const ask = () => small.visitor().fetch('/trpc/auth.me')
    const answers = [await ask(), await ask(), await ask()]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(answers[0]?.headers.get('ratelimit-policy')).toContain('q=2')
    expect(Number(answers[2]?.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('hpp: a parameter that is given twice has no meaning', async () => {
    const { status, body } = await get('/trpc/auth.me?x=1&x=2')
    expect([status, reasonIn(body)]).toEqual([400, 'DUPLICATE_PARAMETER'])
  })

  it('cors: a frontend’s origin may call with the cookie, and no other may', async () => {
    const preflight = (origin: string) =>
      sendRaw(
        lms.url,
        request('OPTIONS /trpc/auth.me', [
          `Origin: ${origin}`,
          'Access-Control-Request-Method: POST',
        ]),
      )
    const ours = await preflight(ORIGIN)
    expect(ours.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(ours.headers.get('access-control-allow-credentials')).toBe('true')
    expect(ours.headers.get('access-control-allow-methods')).toBe('GET,POST')
    const evil = await preflight('https://evil.example')
    expect(evil.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('cookie-parser: a session is found in a cookie that is quoted or escaped', async () => {
    const student = await aStudent(lms)
    const token = student.cookie().replace('session=', '')
    const escaped = `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`
    for (const cookie of [token, `"${token}"`, escaped]) {
      const { body } = await get('/trpc/auth.me', [`Cookie: a="b;session=${cookie}`])
      expect([cookie, body.includes(student.user.id)]).toEqual([cookie, true])
    }
  })

  it('superjson: dates are dates again at the client, and say so on the wire', async () => {
    const student = await aStudent(lms)
    const { body } = await get('/trpc/account.get', [`Cookie: ${student.cookie()}`])
    const { result } = JSON.parse(body) as { result: { data: { meta: unknown } } }
    expect(result.data.meta).toMatchObject({ values: { createdAt: ['Date'] } })
    expect((await student.api.account.get.query()).createdAt).toBeInstanceOf(Date)
  })

  it('dotenv: the process takes its configuration from .env where it is started', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gurukul-env-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const env = {
      NODE_ENV: 'test',
      PORT: '0',
      APP_URL: 'http://localhost:4000',
      CLIENT_ORIGINS: 'http://localhost:5173',
      DATABASE_URL: databaseUrl(inject('mongoUrl'), 'test-dotenv'),
      RAZORPAY_KEY_ID: 'rzp_test_dotenv',
      RAZORPAY_KEY_SECRET: 'key-secret-of-dotenv',
      RAZORPAY_WEBHOOK_SECRETS: 'webhook-secret-of-dotenv',
      CLOUDINARY_URL: 'cloudinary://key:cloudinary-secret@dotenv',
      SMTP_URL: 'smtp://127.0.0.1:9',
      MAIL_FROM: 'no-reply@gurukul.test',
    }
    const lines = Object.entries(env).map(([name, value]) => `${name}="${value}"`)
    await writeFile(path.join(folder, '.env'), lines.join('\n'))
    expect(await firstWordsIn(folder)).toContain('"listening"')
    await writeFile(path.join(folder, '.env'), 'NODE_ENV=production')
    expect(await firstWordsIn(folder)).toContain('DATABASE_URL is missing')
  })
})

/** What the server says when it is started there with nothing in its environment. */
async function firstWordsIn(cwd: string): Promise<string> {
  const main = path.resolve(import.meta.dirname, '../../src/main.ts')
  const child = spawn(process.execPath, [main], { cwd, env: { PATH: process.env['PATH'] } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: string[] = []
  const { promise: listening, resolve } = Promise.withResolvers<undefined>()
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      said.push(line)
      if (line.includes('"listening"')) resolve(undefined)
    })
  await Promise.race([listening, once(child, 'close')])
  return said.join('\n')
}
