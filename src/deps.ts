import { openSessions, type Sessions } from './auth/open-sessions.ts'
import { openBackground, type Background } from './background.ts'
import type { Config } from './config.ts'
import { openDb, type Db } from './db.ts'
import { openCloudinary, type Cloudinary } from './gateways/cloudinary/client.ts'
import { type PaymentGateways, openGateways } from './gateways/payments.ts'
import { openRazorpayGateway } from './gateways/razorpay/gateway.ts'
import { openAtOnce, type AtOnce } from './http/at-once.ts'
import { openCallLimiter, type CallLimiter } from './http/call-limit.ts'
import { SECOND_MS } from './durations.ts'
import { openLog, type Logger } from './log.ts'
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
  requestsPerMinute: number
  networkRequestsPerMinute: number
  registrationsPerHour: number
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
  mailer: Mailer
  background: Background
  log: Logger
  limitCalls: CallLimiter
  /** What costs the database more than a page of rows does: how much of it, and how much at once. */
  limitSearches: CallLimiter
  searchAtOnce: AtOnce
  /** The same for what costs this process more memory than a page of rows does. */
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

type Overrides = { now?: () => Date; log?: Logger; gateways?: PaymentGateways }

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
    sessions: openSessions({ db, now, isSecure: settings.isSecure }),
    gateways: overrides.gateways ?? openGateways(openRazorpayGateway({ ...config.razorpay, now })),
    cloudinary: openCloudinary({ url: config.cloudinaryUrl, now }),
    mailer,
    background,
    log,
    limitCalls: openCallLimiter({ ofCaller: config.requestsPerMinute, ofNetwork }),
    limitSearches: openCallLimiter({ ofCaller: config.searchesPerMinute, ofNetwork }),
    searchAtOnce: openAtOnce(SEARCHES),
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
    requestsPerMinute: config.requestsPerMinute,
    networkRequestsPerMinute: config.networkRequestsPerMinute,
    registrationsPerHour: config.registrationsPerHour,
    selfRefundsPerCourse: config.selfRefundsPerCourse,
    ratingsCountUnpaid: config.ratingsCountUnpaid,
    seller: config.seller,
  }
}
