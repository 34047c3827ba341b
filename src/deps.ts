import { openSessions, type Sessions } from './auth/open-sessions.ts'
import type { Role } from './auth/user.ts'
import { openBackground, type Background } from './background.ts'
import type { Config } from './config.ts'
import { openDb, type Db } from './db.ts'
import { openCloudinary, type Cloudinary } from './gateways/cloudinary/client.ts'
import { scanNothing, type ScanFile } from './gateways/file-scanner.ts'
import { type PaymentGateways, openGateways } from './gateways/payments.ts'
import { openRazorpayGateway } from './gateways/razorpay/gateway.ts'
import { openAtOnce, type AtOnce } from './http/at-once.ts'
import { openCallLimiter, type CallLimiter } from './http/call-limit.ts'
import { SECOND_MS } from './durations.ts'
import { openLog, type Logger } from './log.ts'
import type { SessionRules } from './session-rules.ts'
import { openSecretBox, type SecretBox } from './secret-box.ts'
import { openMailer, type Mailer } from './mail/mailer.ts'

/** What is harmless to know everywhere; secrets stay inside the clients' closures. */
export type Settings = {
  mode: Config['mode']
  appName: string
  appUrl: string
  /** Where links in mails lead: the first of the frontends. */
  siteUrl: string
  clientOrigins: string[]
  trustProxy: number
  isSecure: boolean
  /** Whoever has one of these roles must have a second factor. */
  secondFactorRoles: readonly Role[]
  sessions: SessionRules
  requestsPerMinute: number
  networkRequestsPerMinute: number
  registrationsPerHour: number
  /** How long after an order's time a payment of it is taken without a question. */
  latePaymentGraceMinutes: number
  /** How often a buyer may have the money for one course back without asking anybody. */
  selfRefundsPerCourse: number
  /** Whether reviews of gifts and free courses are part of ratings. */
  ratingsCountUnpaid: boolean
  seller: Config['seller']
}

/** Everything a verb may touch; each verb names what it uses: `Uses<'db' | 'now'>`. */
export type Deps = {
  db: Db
  sessions: Sessions
  gateways: PaymentGateways
  cloudinary: Cloudinary
  scanFile: ScanFile
  mailer: Mailer
  secretBox: SecretBox
  background: Background
  log: Logger
  limitCalls: CallLimiter
  /** What costs the database more than a page of rows does: how much of it, and how much at once. */
  limitSearches: CallLimiter
  searchAtOnce: AtOnce
  /** The same for what costs this process more memory than a page of rows does. */
  limitHeavy: CallLimiter
  heavyAtOnce: AtOnce
  now: () => Date
  settings: Settings
  close: () => Promise<void>
}

/** What a verb uses of them, so that its signature tells what it can touch. */
export type Uses<Name extends keyof Deps> = Pick<Deps, Name>

// Of the database's fifty connections most stay free for everything else.
const SEARCHES = { ofCaller: 4, ofNetwork: 24, inAll: 6, waiting: 48, waitMs: 2 * SECOND_MS }
// An answer of these may have megabytes, and is in memory several times over while it is written.
const HEAVY = { ofCaller: 2, ofNetwork: 16, inAll: 4, waiting: 32, waitMs: 10 * SECOND_MS }

type Overrides = { now?: () => Date; log?: Logger; gateways?: PaymentGateways; scanFile?: ScanFile }

/**
 * Opens every client that the configuration names; tests override the clock and the log. `close` lets
 * background work end, ten seconds at most, and then closes them.
 */
export async function openDeps(config: Config, overrides: Overrides = {}): Promise<Deps> {
  const now = overrides.now ?? (() => new Date())
  const log = overrides.log ?? openLog(config.logLevel)
  const settings = settingsOf(config)
  const db = await openDb(config.databaseUrl)
  const { networkRequestsPerMinute: ofNetwork } = config
  const background = openBackground(log)
  const mailer = openMailer({ smtpUrl: config.smtpUrl, from: config.mailFrom })
  return {
    db,
    sessions: openSessions({ db, now, isSecure: settings.isSecure, rules: config.sessions }),
    gateways: overrides.gateways ?? openGateways(openRazorpayGateway({ ...config.razorpay, now })),
    cloudinary: openCloudinary({ url: config.cloudinaryUrl, now }),
    scanFile: overrides.scanFile ?? scanNothing,
    mailer,
    secretBox: openSecretBox(config.secretKeys),
    background,
    log,
    limitCalls: openCallLimiter({ ofCaller: config.requestsPerMinute, ofNetwork }),
    limitSearches: openCallLimiter({ ofCaller: config.searchesPerMinute, ofNetwork }),
    searchAtOnce: openAtOnce(SEARCHES),
    limitHeavy: openCallLimiter({ ofCaller: Math.ceil(config.requestsPerMinute / 10), ofNetwork }),
    heavyAtOnce: openAtOnce(HEAVY),
    now,
    settings,
    close: async () => {
      await background.stop()
      await mailer.close()
      await db.close()
    },
  }
}

function settingsOf(config: Config): Settings {
  return {
    mode: config.mode,
    appName: config.seller.name,
    appUrl: config.appUrl,
    siteUrl: config.clientOrigins[0] ?? config.appUrl,
    clientOrigins: config.clientOrigins,
    trustProxy: config.trustProxy,
    isSecure: config.appUrl.startsWith('https://'),
    secondFactorRoles: config.secondFactorRoles,
    sessions: config.sessions,
    requestsPerMinute: config.requestsPerMinute,
    networkRequestsPerMinute: config.networkRequestsPerMinute,
    registrationsPerHour: config.registrationsPerHour,
    latePaymentGraceMinutes: config.latePaymentGraceMinutes,
    selfRefundsPerCourse: config.selfRefundsPerCourse,
    ratingsCountUnpaid: config.ratingsCountUnpaid,
    seller: config.seller,
  }
}
