import { spawn } from 'node:child_process'
import path from 'node:path'
import { parse } from 'dotenv'
import { readFile } from 'node:fs/promises'
import { becomesReady } from '../examples/server.ts'
import { DEMO_PASSWORD, DEMO_PEOPLE, seedDemo } from './demo-catalogue.ts'
import { findRunning, type Running } from './running.ts'
import { startSandbox, type Part } from './start.ts'
import { stopWithParent } from './parent.ts'

// The server starts anew when its source changes; the sandbox and its data stay.
const IS_WATCHED = process.env['GURUKUL_WATCH'] !== 'no'
const WATCH = IS_WATCHED ? ['--watch-path=src', '--watch-preserve-output'] : []
const ROOT = path.resolve(import.meta.dirname, '..')
const given = { ...(await envFile()), ...definedOf(process.env) }
const port = given['PORT'] ?? '4000'
const appUrl = given['APP_URL'] ?? `http://localhost:${port}`

// What has no configuration is taken from the sandbox; so the product becomes real one key at a time.
const NEEDS: Record<Part, string> = {
  mongodb: 'DATABASE_URL',
  razorpay: 'RAZORPAY_KEY_ID',
  cloudinary: 'CLOUDINARY_URL',
  mail: 'SMTP_URL',
}
const parts = (Object.keys(NEEDS) as Part[]).filter((part) => given[NEEDS[part]] === undefined)

const [sandbox, page] = await Promise.all([openSandbox(), IS_WATCHED ? openPage() : null])
const env: Record<string, string> = {
  NODE_ENV: 'development',
  APP_URL: appUrl,
  PORT: port,
  MAIL_FROM: 'Gurukul <no-reply@localhost>',
  ...sandbox.env,
  ...given,
  CLIENT_ORIGINS: [
    page?.origin ?? 'http://localhost:5173',
    ...(given['CLIENT_ORIGINS']?.split(',') ?? []),
  ].join(','),
}

console.log('From the sandbox, on this machine only:')
for (const note of sandbox.notes) console.log(`  ${note}`)
if (parts.includes('mongodb')) {
  await seedDemo(env)
  console.log(`Demo accounts, all with the password ${DEMO_PASSWORD}:`)
  for (const [role, { email }] of Object.entries(DEMO_PEOPLE))
    console.log(`  ${role.padEnd(10)} ${email}`)
}

const server = spawn(process.execPath, [...WATCH, 'src/main.ts'], {
  cwd: ROOT,
  env: { ...process.env, ...env },
  stdio: 'inherit',
})
const stop = () => {
  server.kill('SIGTERM')
}
process.once('SIGINT', stop).once('SIGTERM', stop)
stopWithParent(stop)
server.once('exit', (code) => {
  void Promise.all([sandbox.close?.(), page?.close()]).then(() => process.exit(code ?? 0))
})
if (await becomesReady(`http://127.0.0.1:${port}`, server)) {
  console.log(`Listening on ${appUrl} (the API at /trpc)`)
  if (page) console.log(`Open ${page.origin} for a storefront that uses it\n`)
}

async function openSandbox(): Promise<Running & { close?: () => Promise<void> }> {
  const webhookUrl = `${appUrl}/webhooks/razorpay`
  return (await findRunning()) ?? (await startSandbox({ parts, webhookUrl }))
}

async function openPage() {
  const { serveStorefront } = await import('../examples/storefront/serve.ts')
  const demoAccounts = Object.entries(DEMO_PEOPLE).map(([role, person]) => ({
    role,
    ...person,
    password: DEMO_PASSWORD,
  }))
  return serveStorefront({
    port: 5173,
    settings: () => ({
      apiUrl: appUrl,
      demoAccounts: parts.includes('mongodb') ? demoAccounts : [],
    }),
  })
}

async function envFile(): Promise<Record<string, string>> {
  const text = await readFile(path.join(ROOT, '.env'), 'utf8').catch(() => '')
  return definedOf(parse(text))
}

function definedOf(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [[name, value]],
    ),
  )
}
