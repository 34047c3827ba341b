import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { applyContract } from '../prisma/apply.ts'
import { startCloudinary } from './cloudinary/server.ts'
import { startMongo } from './mongo/start.ts'
import { startRazorpay } from './razorpay/server.ts'
import { announce, SANDBOX_DIR, unannounce, type Running } from './running.ts'
import { startSmtp } from './smtp/server.ts'

/** A part of the outside world that the sandbox can stand in for. */
export type Part = 'mongodb' | 'razorpay' | 'cloudinary' | 'mail'

const FIRST_PORT = Number(process.env['SANDBOX_PORT'] ?? 4010)
const PORTS = {
  mongodb: FIRST_PORT,
  razorpay: FIRST_PORT + 1,
  cloudinary: FIRST_PORT + 2,
  mail: FIRST_PORT + 3,
  inbox: FIRST_PORT + 4,
}

type Started = { env: Record<string, string>; note: string; close: () => Promise<void> }
type Options = { parts: Part[]; webhookUrl: string }

/** Starts those parts on this machine, with data that is still there the next time. */
export async function startSandbox({
  parts,
  webhookUrl,
}: Options): Promise<Running & { close: () => Promise<void> }> {
  const secrets = await secretsOfThisSandbox()
  const start: Record<Part, () => Promise<Started>> = {
    mongodb,
    razorpay: () => razorpay(secrets, webhookUrl),
    cloudinary: () => cloudinary(secrets),
    mail,
  }
  const started: Started[] = []
  const close = async () => {
    await unannounce()
    await Promise.all(started.map((part) => part.close()))
  }
  try {
    for (const part of parts) started.push(await start[part]())
  } catch (error) {
    await close()
    throw error
  }
  const sealing = { SECRET_KEYS: `sandbox:${secrets.sealing}` }
  const env = Object.assign(sealing, ...started.map((part) => part.env)) as Record<string, string>
  const running = { pid: process.pid, env, notes: started.map((part) => part.note) }
  await announce(running)
  return { ...running, close }
}

async function mongodb(): Promise<Started> {
  const mongo = await startMongo({ dir: path.join(SANDBOX_DIR, 'mongodb'), port: PORTS.mongodb })
  const url = mongo.databaseUrl('gurukul')
  await applyContract(url)
  return { env: { DATABASE_URL: url }, note: `MongoDB    ${url}`, close: mongo.close }
}

async function razorpay(secrets: Secrets, webhookUrl: string): Promise<Started> {
  const server = await startRazorpay({
    keyId: 'rzp_test_sandbox',
    keySecret: secrets.razorpayKey,
    webhookSecret: secrets.webhook,
    webhookUrl,
    port: PORTS.razorpay,
    file: path.join(SANDBOX_DIR, 'razorpay.json'),
  })
  const env = {
    RAZORPAY_KEY_ID: 'rzp_test_sandbox',
    RAZORPAY_KEY_SECRET: secrets.razorpayKey,
    RAZORPAY_WEBHOOK_SECRETS: secrets.webhook,
    RAZORPAY_API_URL: server.url,
    RAZORPAY_CHECKOUT_URL: `${server.url}/checkout.js`,
  }
  return { env, note: `Razorpay   ${server.url}`, close: () => server.close() }
}

async function cloudinary(secrets: Secrets): Promise<Started> {
  const server = await startCloudinary({
    cloudName: 'sandbox',
    apiKey: '246813579',
    apiSecret: secrets.cloudinary,
    port: PORTS.cloudinary,
    dir: path.join(SANDBOX_DIR, 'cloudinary'),
  })
  const env = { CLOUDINARY_URL: server.cloudinaryUrl }
  return { env, note: `Cloudinary ${server.url}`, close: () => server.close() }
}

async function mail(): Promise<Started> {
  const server = await startSmtp({ port: PORTS.mail, httpPort: PORTS.inbox })
  return {
    env: { SMTP_URL: server.url },
    note: `Mail       ${server.httpUrl}  (an inbox to read)`,
    close: () => server.close(),
  }
}

type Secrets = { razorpayKey: string; webhook: string; cloudinary: string; sealing: string }

/** Made once and kept beside the data: signed urls and signatures outlive a restart. */
async function secretsOfThisSandbox(): Promise<Secrets> {
  const file = path.join(SANDBOX_DIR, 'secrets.json')
  const kept = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Partial<Secrets>,
    () => ({}),
  )
  const secret = () => randomBytes(18).toString('base64url')
  const made = { razorpayKey: secret(), webhook: secret(), cloudinary: secret() }
  const secrets = { ...made, sealing: randomBytes(32).toString('base64'), ...kept }
  await mkdir(SANDBOX_DIR, { recursive: true })
  await writeFile(file, JSON.stringify(secrets), { mode: 0o600 })
  return secrets
}
