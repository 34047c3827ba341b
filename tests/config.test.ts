import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError, ENVIRONMENT_NAMES, loadConfig } from '../src/config.ts'

const COMPLETE = {
  NODE_ENV: 'production',
  APP_URL: 'https://api.example.com',
  CLIENT_ORIGINS: 'https://app.example.com, https://admin.example.com',
  DATABASE_URL: 'mongodb+srv://user:pa55@cluster.example.net/gurukul',
  RAZORPAY_KEY_ID: 'rzp_live_abcdefgh',
  RAZORPAY_KEY_SECRET: 'a-long-enough-key-secret',
  RAZORPAY_WEBHOOK_SECRETS: 'the-newest-webhook-secret,the-one-before-it-as-well',
  CLOUDINARY_URL: 'cloudinary://12345:cloud-secret@acme',
  SMTP_URL: 'smtps://user:pw@mail.example.com',
  MAIL_FROM: 'Acme <no-reply@example.com>',
}

function faultsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('the configuration', () => {
  it('is read whole, with the vendor’s own addresses where none is given', () => {
    const config = loadConfig(COMPLETE)
    expect(config.clientOrigins).toEqual(['https://app.example.com', 'https://admin.example.com'])
    expect(config.razorpay.apiUrl).toBe('https://api.razorpay.com')
    expect(config.razorpay.webhookSecrets).toHaveLength(2)
    expect(config.port).toBe(4000)
  })

  it('names every missing variable at once', () => {
    expect(faultsOf({ NODE_ENV: 'production' }).sort()).toEqual(
      [
        'APP_URL',
        'CLIENT_ORIGINS',
        'CLOUDINARY_URL',
        'DATABASE_URL',
        'MAIL_FROM',
        'RAZORPAY_KEY_ID',
        'RAZORPAY_KEY_SECRET',
        'RAZORPAY_WEBHOOK_SECRETS',
        'SMTP_URL',
      ].map((name) => `${name} is missing`),
    )
  })

  it('takes an empty variable for a missing one', () => {
    expect(faultsOf({ ...COMPLETE, RAZORPAY_KEY_SECRET: '  ' })).toEqual([
      'RAZORPAY_KEY_SECRET is missing',
    ])
  })

  it('is read from files as well, where the platform mounts secrets', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'secrets-'))
    const file = path.join(folder, 'key')
    writeFileSync(file, 'a-key-secret-of-a-file\n')
    const rest = { ...COMPLETE, RAZORPAY_KEY_SECRET: '' }
    const read = { ...rest, RAZORPAY_KEY_SECRET_FILE: file }
    expect(loadConfig(read).razorpay.keySecret).toBe('a-key-secret-of-a-file')
    expect(faultsOf({ ...COMPLETE, RAZORPAY_KEY_SECRET_FILE: file })).toEqual([
      'RAZORPAY_KEY_SECRET is given twice, also as RAZORPAY_KEY_SECRET_FILE',
    ])
    expect(faultsOf({ ...rest, RAZORPAY_KEY_SECRET_FILE: path.join(folder, 'none') })).toEqual([
      'RAZORPAY_KEY_SECRET_FILE names no file that can be read',
    ])
    writeFileSync(file, 'x'.repeat(70_000))
    expect(faultsOf(read)).toEqual(['RAZORPAY_KEY_SECRET_FILE names no file that can be read'])
    rmSync(folder, { recursive: true })
  })

  it('never shows a value, which may be a secret', () => {
    const faults = faultsOf({
      ...COMPLETE,
      RAZORPAY_KEY_SECRET: 'hunter2',
      DATABASE_URL: 'not-a-url-hunter2',
    })
    expect(faults).toHaveLength(2)
    expect(faults.join()).not.toContain('hunter2')
  })

  it.each([
    ['http origins', { APP_URL: 'http://api.example.com' }],
    ['an http client origin', { CLIENT_ORIGINS: 'http://app.example.com' }],
    ['the sandbox as Razorpay', { RAZORPAY_API_URL: 'http://127.0.0.1:4011' }],
    [
      'the sandbox as Cloudinary',
      { CLOUDINARY_URL: 'cloudinary://1:secret99@x?upload_prefix=http://127.0.0.1:1' },
    ],
    [
      'the sandbox as Cloudinary, escaped',
      { CLOUDINARY_URL: 'cloudinary://1:secret99@x?upload_prefix=http%3A%2F%2F127.0.0.1%3A1' },
    ],
    ['files from elsewhere', { CLOUDINARY_URL: 'cloudinary://1:secret99@x?cname=127.0.0.1:1' }],
    ['plain links to files', { CLOUDINARY_URL: 'cloudinary://1:secret99@x?secure=false' }],
    ['the sandbox as mail server', { SMTP_URL: 'smtp://127.0.0.1:4013' }],
    ['the sandbox as mail server, by name', { SMTP_URL: 'smtp://localhost:1025' }],
    ['mails from nobody', { MAIL_FROM: 'Acme' }],
    ['mails from half an address', { MAIL_FROM: 'Acme <no-reply>' }],
    ['the key of the sandbox', { RAZORPAY_KEY_ID: 'rzp_test_sandbox' }],
    ['any key for tests', { RAZORPAY_KEY_ID: 'rzp_test_abcdefgh' }],
    ['a short key secret that was replaced', { RAZORPAY_PREVIOUS_KEY_SECRETS: 'short-secret1' }],
    ['a short webhook secret', { RAZORPAY_WEBHOOK_SECRETS: 'short-secret1' }],
    ['a short key secret', { RAZORPAY_KEY_SECRET: 'short-secret1' }],
    ['an origin with a path', { CLIENT_ORIGINS: 'https://app.example.com/path' }],
    ['a wild origin', { CLIENT_ORIGINS: '*' }],
    ['a GSTIN of the seller’s with a typing error', { SELLER_GSTIN: '29ABCDE1234F1Z5' }],
    ['a GSTIN of no state', { SELLER_GSTIN: '45ABCDE1234F1Z2' }],
    ['a seller in no state', { SELLER_STATE: 'Atlantis' }],
    ['a seller in two states', { SELLER_GSTIN: '29ABCDE1234F1ZW', SELLER_STATE: 'Kerala' }],
    ['a code of goods', { SELLER_SAC: '4901' }],
    ['a rate of no law', { GST_PERCENT: '17' }],
    ['a plain mail server elsewhere', { SMTP_URL: 'smtp://user:pw@mail.example.com:587' }],
    ['a name that only begins like this machine', { SMTP_URL: 'smtp://127.0.0.1.example.com' }],
    [
      'mails to whoever answers',
      { SMTP_URL: 'smtps://m.example.com?tls.rejectUnauthorized=false' },
    ],
    ['a plain database elsewhere', { DATABASE_URL: 'mongodb://u:p@db.example.net:27017/shop' }],
    [
      'a plain member of three',
      { DATABASE_URL: 'mongodb://127.0.0.1,b.example.net,127.0.0.1/shop' },
    ],
    [
      'a cluster with TLS turned off',
      { DATABASE_URL: 'mongodb+srv://u:p@c.example.net/s?tls=false' },
    ],
    [
      'a database that proves nothing',
      { DATABASE_URL: 'mongodb://d.example/s?tls=true&tlsInsecure=true' },
    ],
    ['half an address of a database', { DATABASE_URL: 'mongodb://' }],
    ['an odd yes', { SMTP_URL: 'smtp://m.example.com', ALLOW_PLAIN_SMTP: 'yes' }],
  ])('refuses %s in production', (_what, change) => {
    expect(faultsOf({ ...COMPLETE, ...change })).not.toEqual([])
  })

  it.each([
    ['Cloudinary in Europe', '?upload_prefix=https://api-eu.cloudinary.com&secure=true'],
    ['a CDN of one’s own', '?private_cdn=true&secure_distribution=media.example.com'],
  ])('allows %s in production', (_what, options) => {
    const CLOUDINARY_URL = `${COMPLETE.CLOUDINARY_URL}${options}`
    expect(faultsOf({ ...COMPLETE, CLOUDINARY_URL })).toEqual([])
  })

  it.each([
    ['mongodb://u:p@a.example.net:27017,b.example.net:27018/shop?replicaSet=rs0&tls=true'],
    ['mongodb://u:p@a.example.net/shop?ssl=true'],
    ['mongodb://127.0.0.1:27017,localhost:27018,[::1]:27019/shop?replicaSet=rs0'],
    ['mongodb://%2Ftmp%2Fmongodb-27017.sock/shop'],
    ['mongodb+srv://u:p@cluster.example.net/shop'],
  ])('allows %s in production', (DATABASE_URL) => {
    expect(faultsOf({ ...COMPLETE, DATABASE_URL })).toEqual([])
  })

  it('allows plain servers elsewhere only where a setting says so, each its own', () => {
    const plain = {
      SMTP_URL: 'smtp://mail.internal:587',
      DATABASE_URL: 'mongodb://a.internal,b.internal/shop?replicaSet=rs0',
    }
    expect(faultsOf({ ...COMPLETE, ...plain, ALLOW_PLAIN_SMTP: 'true' })).toEqual([
      'DATABASE_URL must have tls=true, unless ALLOW_PLAIN_MONGODB is true',
    ])
    const allowed = { ALLOW_PLAIN_SMTP: 'true', ALLOW_PLAIN_MONGODB: 'true' }
    expect(faultsOf({ ...COMPLETE, ...plain, ...allowed })).toEqual([])
    const insisting = 'smtp://mail.example.com:587?requireTLS=true'
    expect(faultsOf({ ...COMPLETE, SMTP_URL: insisting })).toEqual([])
    expect(faultsOf({ ...COMPLETE, ...plain, NODE_ENV: 'development' })).toEqual([])
  })

  it('knows where the seller is by the GSTIN, or by the state in any script', () => {
    const sellerIn = (said: Record<string, string>) => loadConfig({ ...COMPLETE, ...said }).seller
    expect(sellerIn({ SELLER_GSTIN: '29ABCDE1234F1ZW' }).state).toBe('Karnataka')
    expect(sellerIn({ SELLER_STATE: 'ಕರ್ನಾಟಕ' }).state).toBe('Karnataka')
    expect(sellerIn({})).toMatchObject({ state: undefined, sac: '999293', gstPercent: 18 })
    // For development, a made-up number will do.
    const madeUp = { ...COMPLETE, NODE_ENV: 'test', SELLER_GSTIN: '29ABCDE1234F1Z5' }
    expect(loadConfig(madeUp).seller.state).toBe('Karnataka')
  })

  it('allows a mail server of the same machine, and an address alone as the sender', () => {
    for (const SMTP_URL of ['smtp://127.0.0.1:25', 'smtp://localhost', 'smtp://u:p@127.0.0.1:2525'])
      expect(faultsOf({ ...COMPLETE, SMTP_URL, MAIL_FROM: 'no-reply@example.com' })).toEqual([])
  })

  it('is that of production for `npm start` when nothing is said', async () => {
    const start = (given: Record<string, string>) =>
      promisify(execFile)('npm', ['start'], { env: { ...process.env, ...given } })
    const local = {
      ...COMPLETE,
      APP_URL: 'http://localhost:4000',
      DATABASE_URL: 'mongodb://127.0.0.1:9/none',
    }
    await expect(start({ ...local, NODE_ENV: '' })).rejects.toMatchObject({
      stderr: expect.stringContaining('APP_URL must be https in production') as string,
    })
    await expect(start({ ...local, NODE_ENV: 'development' })).rejects.toMatchObject({
      stderr: expect.not.stringContaining('in production') as string,
    })
  })

  it('is documented line by line in .env.example', () => {
    const documented = [...readFileSync('.env.example', 'utf8').matchAll(/^([A-Z_]+)=/gm)].map(
      (match) => match[1],
    )
    expect(documented.sort()).toEqual([...ENVIRONMENT_NAMES].sort())
  })
})
