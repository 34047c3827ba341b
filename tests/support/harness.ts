import { Writable } from 'node:stream'
import { loadConfig, type Config } from '../../src/config.ts'
import { openDeps, type Deps } from '../../src/deps.ts'
import type { ScanFile } from '../../src/gateways/file-scanner.ts'
import type { PaymentGateways } from '../../src/gateways/payments.ts'
import type { Job } from '../../src/jobs.ts'
import { openLog } from '../../src/log.ts'
import { TIMEOUTS, type Timeouts } from '../../src/http/timeouts.ts'
import { jobs } from '../../src/router.ts'
import { serve } from '../../src/server.ts'
import { applyContract } from '../../prisma/apply.ts'
import { startCloudinary, type CloudinarySandbox } from '../../sandbox/cloudinary/server.ts'
import { startRazorpay, type RazorpaySandbox } from '../../sandbox/razorpay/server.ts'
import { startSmtp, type SmtpSandbox } from '../../sandbox/smtp/server.ts'
import { visitor, type Visitor } from './client.ts'
import { openClock, type Clock } from './clock.ts'
import { closeAfterwards } from './closing.ts'
import { giveDatabase, takeDatabase } from './databases.ts'
import { keepSecret, linesWithSecrets } from './secrets.ts'

export const ORIGIN = 'http://localhost:5173'
export const KEY_ID = 'rzp_test_gurukultests'
export const SECRETS = {
  razorpayKey: 'key-secret-of-the-tests',
  webhook: 'webhook-secret-of-the-tests',
  cloudinary: 'cloudinary-secret-of-the-tests',
}

export type Lms = {
  url: string
  /** A client with a cookie jar of its own and nobody signed in. */
  visitor: () => Visitor
  deps: Deps
  db: Deps['db']
  clock: Clock
  razorpay: RazorpaySandbox
  cloudinary: CloudinarySandbox
  smtp: SmtpSandbox
  /** Every line the server logged. */
  logs: () => string[]
  /** Runs each background job once, in order: nothing works by itself in a test. */
  work: () => Promise<void>
  /** Says that this test means to cause errors in the log; otherwise they fail the file. */
  expectErrors: () => void
  /** Another instance of the server, on the same database and the same sandboxes. */
  another: () => Promise<{ url: string; deps: Deps }>
  close: () => Promise<void>
}

type Options = {
  env?: Record<string, string>
  timeouts?: Partial<Timeouts>
  /** A database of the test's own choice. */
  database?: string
  /** What that database's Razorpay remembers, and when its history ended. */
  history?: { books: string; at: Date }
  /** Other gateways than Razorpay alone, opened for each instance that is started. */
  gateways?: (config: Config, now: () => Date) => PaymentGateways
  /** A scanner of handouts, where the test wants one. */
  scanFile?: ScanFile
}

/**
 * The whole product on a database of its own, with local servers for everything outside; ends with the file.
 */
export async function startLms(options: Options = {}): Promise<Lms> {
  const clock = openClock()
  const { history } = options
  if (history) clock.advance((history.at.getTime() - Date.now()) / 1000)
  const [database, razorpay, cloudinary, smtp] = await Promise.all([
    options.database === undefined ? takeDatabase() : applied(options.database),
    startRazorpay({
      keyId: KEY_ID,
      keySecret: SECRETS.razorpayKey,
      webhookSecret: SECRETS.webhook,
      now: clock.now,
      ...(history && { file: history.books }),
    }),
    startCloudinary({
      cloudName: 'sandbox',
      apiKey: '123456',
      apiSecret: SECRETS.cloudinary,
      now: clock.now,
    }),
    startSmtp({}),
  ])
  const lines: string[] = []
  let areErrorsExpected = false
  const environment = environmentOf({ razorpay, cloudinary, smtp }, database)
  const config = loadConfig({ ...environment, ...options.env })
  const log = openLog('info', collect(lines))
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  const start = async () => {
    const gateways = options.gateways?.(config, clock.now)
    const deps = await openDeps(config, {
      now: clock.now,
      log,
      ...(gateways && { gateways }),
      ...(options.scanFile && { scanFile: options.scanFile }),
    })
    return { deps, ...(await serve(deps, { host: '127.0.0.1', port: 0, jobs: [], timeouts })) }
  }
  const main = await start()
  const running = [main]
  razorpay.setWebhookUrl(`${main.url}/webhooks/razorpay`)

  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    // A test may have taken the database away.
    const audited = await main.deps.db.driver
      .collection('audit_entries')
      .find({})
      .toArray()
      .catch(() => [])
    await Promise.all(running.map((instance) => instance.stop()))
    await Promise.all([razorpay.close(), cloudinary.close(), smtp.close(), giveDatabase(database)])
    for (const secret of Object.values(SECRETS)) keepSecret(secret)
    const told = linesWithSecrets([...lines, ...audited.map((entry) => JSON.stringify(entry))])
    if (told.length > 0) throw new Error(`There are secrets in the logs:\n${told.join('\n')}`)
    const errors = lines.filter((line) => /"level":(50|60)/.test(line))
    if (!areErrorsExpected && errors.length > 0)
      throw new Error(`The server logged errors:\n${errors.join('\n')}`)
  }
  closeAfterwards(close)

  return {
    url: main.url,
    visitor: () => visitor(main.url),
    deps: main.deps,
    db: main.deps.db,
    clock,
    razorpay,
    cloudinary,
    smtp,
    logs: () => lines,
    work: async () => {
      for (const job of jobs) await runJob(job, main.deps)
    },
    expectErrors: () => {
      areErrorsExpected = true
    },
    another: async () => {
      const instance = await start()
      running.push(instance)
      return instance
    },
    close,
  }
}

type Sandboxes = Pick<Lms, 'razorpay' | 'cloudinary' | 'smtp'>

/** The configuration of a server on this database and with these sandboxes. */
export function environmentOf(
  { razorpay, cloudinary, smtp }: Sandboxes,
  databaseUrl: string,
): Record<string, string> {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    APP_URL: 'http://localhost:4000',
    CLIENT_ORIGINS: ORIGIN,
    DATABASE_URL: databaseUrl,
    RAZORPAY_KEY_ID: KEY_ID,
    RAZORPAY_KEY_SECRET: SECRETS.razorpayKey,
    RAZORPAY_WEBHOOK_SECRETS: SECRETS.webhook,
    RAZORPAY_API_URL: razorpay.url,
    RAZORPAY_CHECKOUT_URL: `${razorpay.url}/checkout.js`,
    CLOUDINARY_URL: cloudinary.cloudinaryUrl,
    SMTP_URL: smtp.url,
    MAIL_FROM: 'Gurukul <no-reply@gurukul.test>',
    // Tests ask more often than people, and the limit has a test of its own.
    REQUESTS_PER_MINUTE: '1000000',
  }
}

async function applied(database: string): Promise<string> {
  await applyContract(database)
  return database
}

/** Runs a job once, as a server does that is not about to stop. */
export function runJob(job: Job, deps: Deps): Promise<void> {
  return job.run(deps, new AbortController().signal)
}

function collect(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(
        ...chunk
          .toString()
          .split('\n')
          .filter((line) => line !== ''),
      )
      done()
    },
  })
}
