import { z } from 'zod'
import { readSecretFiles } from './secret-files.ts'
import { SELLER, sellerFaults, sellerOf } from './seller.ts'
import { isDatabaseUrl, isPlainDatabase, isPlainMail } from './addresses.ts'
import { sessionRulesOf, SESSIONS } from './session-rules.ts'
import { DEVELOPMENT_KEY, readSecretKey, type SecretKey } from './secret-box.ts'

const secret = z.string().min(12, 'must have at least 12 characters')
const url = (protocol: RegExp) => z.url({ protocol, error: 'is not a valid address' })
const origin = url(/^https?$/).refine(
  (value) => URL.canParse(value) && new URL(value).origin === value,
  'must be an origin, such as https://app.example.com',
)
const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((said) => said === 'true')
  .default(false)
const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item).min(1))

const ROLES = ['STUDENT', 'INSTRUCTOR', 'ADMIN'] as const
const isRole = (text: string) => ROLES.find((role) => role === text)
const roles = list(
  z.string().refine((text) => text === 'none' || isRole(text), 'must name roles'),
).transform((texts) => texts.flatMap((text) => isRole(text) ?? []))
const secretKey = z
  .string()
  .refine((text) => readSecretKey(text) !== null, 'must hold keys as name:base64 of 32 bytes')
const secretKeys = list(secretKey)
  .transform((texts) => texts.flatMap((text) => readSecretKey(text) ?? []))
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'names a key twice')

const Environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']),
  PORT: z.coerce.number().int().min(0).max(65535).default(4000),
  HOST: z.string().default('127.0.0.1'),
  APP_URL: origin,
  CLIENT_ORIGINS: list(origin),
  TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
  DATABASE_URL: z.string().refine(isDatabaseUrl, 'is not an address of MongoDB'),
  ALLOW_PLAIN_MONGODB: flag,
  RAZORPAY_KEY_ID: z
    .string()
    .regex(/^rzp_(test|live)_\w+$/, 'must look like rzp_test_… or rzp_live_…'),
  RAZORPAY_KEY_SECRET: secret,
  RAZORPAY_PREVIOUS_KEY_SECRETS: list(secret).optional(),
  RAZORPAY_WEBHOOK_SECRETS: list(secret),
  RAZORPAY_API_URL: origin.default('https://api.razorpay.com'),
  RAZORPAY_CHECKOUT_URL: url(/^https?$/).default('https://checkout.razorpay.com/v1/checkout.js'),
  SECRET_KEYS: secretKeys.optional(),
  REQUIRE_TOTP_ROLES: roles.optional(),
  CLOUDINARY_URL: z
    .string()
    .regex(
      /^cloudinary:\/\/[^:@/]+:[^:@/]{6,}@[\w-]+/,
      'must look like cloudinary://key:secret@cloud',
    ),
  SMTP_URL: url(/^smtps?$/),
  ALLOW_PLAIN_SMTP: flag,
  MAIL_FROM: z
    .string()
    .regex(/^([^<>]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, 'must hold an e-mail address'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  NETWORK_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  SEARCHES_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  REGISTRATIONS_PER_HOUR: z.coerce.number().int().min(1).optional(),
  LATE_PAYMENT_GRACE_MINUTES: z.coerce.number().int().min(0).max(1_440).default(15),
  SELF_REFUNDS_PER_COURSE: z.coerce.number().int().min(1).max(100).default(1),
  RATINGS_COUNT_UNPAID: flag,
  READYZ_FATAL_SECONDS: z.coerce.number().int().min(0).max(86_400).optional(),
  ...SESSIONS,
  ...SELLER,
})

type Environment = z.infer<typeof Environment>

/** Every variable that is read, as .env.example has to describe them. */
export const ENVIRONMENT_NAMES = Object.keys(Environment.shape)

/** What is wrong with the configuration: one sentence a fault, with names and never values. */
export class ConfigError extends Error {
  readonly faults: string[]

  constructor(faults: string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** The configuration as the process works with it: checked, complete and frozen. */
export type Config = ReturnType<typeof toConfig>

/**
 * Reads the whole configuration, or throws a ConfigError that names every fault at once. Faults name the
 * variable and never show its value: it may be a secret. Each variable may also be given as a file
 * (secret-files.ts). `unsaid` is the mode without NODE_ENV.
 */
export function loadConfig(
  env: Record<string, string | undefined> = process.env,
  unsaid: Config['mode'] = 'development',
): Config {
  const { env: whole, faults: unread } = readSecretFiles(env, ENVIRONMENT_NAMES)
  if (unread.length > 0) throw new ConfigError(unread)
  const given = Object.fromEntries(
    Object.entries(whole).filter(([, value]) => value?.trim() !== ''),
  )
  const parsed = Environment.safeParse({ NODE_ENV: unsaid, ...given })
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => faultOf(issue, given)))
  const faults = [
    ...sellerFaults(parsed.data),
    ...(parsed.data.NODE_ENV === 'production' ? productionFaults(parsed.data) : []),
  ]
  if (faults.length > 0) throw new ConfigError(faults)
  return toConfig(parsed.data)
}

function faultOf(issue: z.core.$ZodIssue, given: Record<string, string | undefined>): string {
  const name = String(issue.path[0])
  return given[name] === undefined ? `${name} is missing` : `${name} ${issue.message}`
}

const LOCAL = /^(localhost|127\.|\[::1\])/

function productionFaults(env: Environment): string[] {
  const faults: string[] = []
  const isLocal = (value: string) => LOCAL.test(new URL(value).hostname)
  for (const name of ['APP_URL', 'RAZORPAY_API_URL', 'RAZORPAY_CHECKOUT_URL'] as const) {
    if (!env[name].startsWith('https://')) faults.push(`${name} must be https in production`)
  }
  if (env.CLIENT_ORIGINS.some((value) => !value.startsWith('https://'))) {
    faults.push('CLIENT_ORIGINS must all be https in production')
  }
  if (env.RAZORPAY_KEY_SECRET.length < 16)
    faults.push('RAZORPAY_KEY_SECRET is too short for production')
  if (env.RAZORPAY_WEBHOOK_SECRETS.some((value) => value.length < 16)) {
    faults.push('RAZORPAY_WEBHOOK_SECRETS holds one that is too short for production')
  }
  if (env.RAZORPAY_PREVIOUS_KEY_SECRETS?.some((value) => value.length < 16) === true)
    faults.push('RAZORPAY_PREVIOUS_KEY_SECRETS holds one that is too short for production')
  // A card for tests would buy real courses.
  if (!env.RAZORPAY_KEY_ID.startsWith('rzp_live_'))
    faults.push('RAZORPAY_KEY_ID must be rzp_live_… in production')
  if (isLocal(env.RAZORPAY_API_URL)) faults.push('RAZORPAY_API_URL points at the sandbox')
  if (!isSafeCloudinary(env.CLOUDINARY_URL))
    faults.push('CLOUDINARY_URL has options that are not for production')
  if (isSandboxMail(env.SMTP_URL)) faults.push('SMTP_URL points at the sandbox')
  if (isPlainMail(env.SMTP_URL) && !env.ALLOW_PLAIN_SMTP)
    faults.push('SMTP_URL must be smtps, or requireTLS=true, unless ALLOW_PLAIN_SMTP is true')
  if (isPlainDatabase(env.DATABASE_URL) && !env.ALLOW_PLAIN_MONGODB)
    faults.push('DATABASE_URL must have tls=true, unless ALLOW_PLAIN_MONGODB is true')
  if (!env.SECRET_KEYS) faults.push('SECRET_KEYS is missing')
  if (env.SECRET_KEYS?.some(({ key }) => key.equals(DEVELOPMENT_KEY.key)) === true)
    faults.push('SECRET_KEYS holds a key that everybody knows')
  return faults
}

/** An option decides where files, and the links to them, go; what is not known to be harmless is refused. */
function isSafeCloudinary(value: string): boolean {
  return [...new URL(value).searchParams].every(
    ([name, option]) =>
      (name === 'upload_prefix' && /^https:\/\/api[\w-]*\.cloudinary\.com$/.test(option)) ||
      (name === 'secure' && option === 'true') ||
      name === 'private_cdn' ||
      name === 'secure_distribution' ||
      name === 'signature_algorithm',
  )
}

/**
 * A mail server of this machine listens on a port of the trade; the sandbox takes any, and asks for no
 * password.
 */
function isSandboxMail(value: string): boolean {
  const { hostname, port, username } = new URL(value)
  return LOCAL.test(hostname) && username === '' && !['', '25', '465', '587'].includes(port)
}

function toConfig(env: Environment) {
  const isProduction = env.NODE_ENV === 'production'
  // Whoever develops a frontend, or tests one, is a single client.
  const requestsPerMinute = env.REQUESTS_PER_MINUTE ?? (isProduction ? 600 : 3_000)
  return Object.freeze({
    mode: env.NODE_ENV,
    port: env.PORT,
    host: env.HOST,
    appUrl: env.APP_URL,
    clientOrigins: env.CLIENT_ORIGINS,
    trustProxy: env.TRUST_PROXY,
    databaseUrl: env.DATABASE_URL,
    razorpay: {
      keyId: env.RAZORPAY_KEY_ID,
      keySecret: env.RAZORPAY_KEY_SECRET,
      previousKeySecrets: env.RAZORPAY_PREVIOUS_KEY_SECRETS ?? [],
      webhookSecrets: env.RAZORPAY_WEBHOOK_SECRETS,
      apiUrl: env.RAZORPAY_API_URL,
      checkoutUrl: env.RAZORPAY_CHECKOUT_URL,
    },
    cloudinaryUrl: env.CLOUDINARY_URL,
    secretKeys: atLeastOne(env.SECRET_KEYS ?? []),
    // The accounts that everything can be taken from are worth a second look at whoever signs in.
    sessions: sessionRulesOf(env, isProduction),
    secondFactorRoles: env.REQUIRE_TOTP_ROLES ?? (isProduction ? (['ADMIN'] as const) : []),
    smtpUrl: env.SMTP_URL,
    mailFrom: env.MAIL_FROM,
    logLevel: env.LOG_LEVEL,
    requestsPerMinute,
    networkRequestsPerMinute: env.NETWORK_REQUESTS_PER_MINUTE ?? requestsPerMinute * 20,
    searchesPerMinute: env.SEARCHES_PER_MINUTE ?? Math.ceil(requestsPerMinute / 5),
    readyzFatalSeconds: env.READYZ_FATAL_SECONDS ?? (isProduction ? 300 : 0),
    // A class that registers together is one network.
    registrationsPerHour: env.REGISTRATIONS_PER_HOUR ?? (isProduction ? 200 : 100_000),
    latePaymentGraceMinutes: env.LATE_PAYMENT_GRACE_MINUTES,
    selfRefundsPerCourse: env.SELF_REFUNDS_PER_COURSE,
    ratingsCountUnpaid: env.RATINGS_COUNT_UNPAID,
    seller: sellerOf(env),
  })
}

function atLeastOne([first, ...others]: SecretKey[]): [SecretKey, ...SecretKey[]] {
  return [first ?? DEVELOPMENT_KEY, ...others]
}
