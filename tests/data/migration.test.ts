import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  BSON,
  MongoClient,
  type Db,
  type Document,
  type IndexDescription,
  type ObjectId,
} from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { gateways } from '../../prisma/data/gateways.ts'
import { migrateData, readContract } from '../../prisma/data/migrate.ts'
import { findViolations } from '../../src/books/invariants/invariants.ts'
import { newDatabaseUrl } from '../support/databases.ts'
import { startLms } from '../support/harness.ts'

const FIXTURES = path.join(import.meta.dirname, 'fixtures')
const ENDED_AT = new Date('2026-11-28T18:18:59Z')

type Saved = { name: string; options: Document; indexes: Document[]; documents: Document[] }

const client = new MongoClient(inject('mongoUrl'))
let saved: Saved[]

beforeAll(async () => {
  const text = await readFile(path.join(FIXTURES, 'razorpay-only.json'), 'utf8')
  saved = BSON.EJSON.parse(text, { relaxed: false }) as Saved[]
})
afterAll(() => client.close())

type Restored = { url: string; db: Db }

/** A database as the code before the port left it. */
async function anOldDatabase(isWanted = (_name: string) => true): Promise<Restored> {
  const url = newDatabaseUrl()
  const db = client.db(new URL(url).pathname.slice(1))
  for (const { name, options, indexes, documents } of saved) {
    if (!isWanted(name)) continue
    await db.createCollection(name, options)
    const keys = indexes.filter(({ name: index }) => index !== '_id_') as IndexDescription[]
    if (keys.length > 0) await db.collection(name).createIndexes(keys)
    if (documents.length > 0) await db.collection(name).insertMany(documents)
  }
  return { url, db }
}

const RENAMED: Record<string, [string, string][]> = {
  orders: [['razorpayOrderId', 'gatewayOrderId']],
  payments: [
    ['razorpayPaymentId', 'gatewayPaymentId'],
    ['razorpayOrderId', 'gatewayOrderId'],
  ],
  refunds: [['razorpayRefundId', 'gatewayRefundId']],
  disputes: [['razorpayDisputeId', 'gatewayDisputeId']],
  webhook_events: [],
}

type SavedCourse = { _id: ObjectId; sections: { lessons: unknown[] }[] }

/** Nobody had noted what was sold: each line takes the terms that its course has now. */
function withTerms(document: Document): Document {
  const courses = saved.find(({ name }) => name === 'courses')?.documents as SavedCourse[]
  const lines = (document['lines'] as { courseId: string }[]).map((line) => {
    const course = courses.find(({ _id }) => _id.toHexString() === line.courseId)
    const count = course?.sections.flatMap(({ lessons }) => lessons).length ?? 0
    const [days, percent, lessonCount] = [7, 30, count].map((value) => new BSON.Int32(value))
    return { ...line, lessonCount, refundDays: days, refundMaxPercent: percent }
  })
  return { ...document, lines }
}

type SavedGrant = { kind: string; orderId: string | null; revokedAt: Date | null }

/** What an order gave for nothing is no longer called paid, and who was put out by a person is barred. */
function withAdmission(document: Document): Document {
  const orders = saved.find(({ name }) => name === 'orders')?.documents ?? []
  const isZero = (id: string | null) =>
    orders.some((order) => String(order['_id']) === id && Number(order['amountPaise']) === 0)
  const grants = (document['grants'] as SavedGrant[]).map((grant) => ({
    ...grant,
    kind: isZero(grant.orderId) ? 'FREE' : grant.kind,
  }))
  const ended = grants.find(({ kind, revokedAt }) => kind === 'ADMIN' && revokedAt)
  return { ...document, grants, barredAt: ended?.revokedAt ?? null }
}

/** What was sold with a coupon that somebody used late is judged by no limits. */
function withoutLimits(document: Document): Document {
  return document['code'] === 'LATE20'
    ? { ...document, maxTotal: null, maxPerUser: null, holdSlot: null }
    : document
}

/** What banks took by disputes is held back. */
function withLosses(document: Document): Document {
  const disputes = saved.find(({ name }) => name === 'disputes')?.documents ?? []
  const lost = disputes.filter(
    (dispute) =>
      dispute['status'] === 'lost' && dispute['paymentId'] === document['gatewayPaymentId'],
  )
  const sum = lost.reduce((total, dispute) => total + Number(dispute['amountPaise']), 0)
  return lost.length > 0 ? { ...document, lostPaise: new BSON.Int32(sum) } : document
}

/** What has become of a document: nothing but the new names, the gateway's, and the terms of sales, and admission. */
function expected(name: string, document: Document): Document {
  if (name === 'enrollments') return withAdmission(document)
  if (name === 'coupon_uses') return withoutLimits(document)
  const renamed = RENAMED[name]
  if (!renamed) return document
  const nameOf = new Map(renamed)
  const next: Document = { gateway: 'razorpay' }
  for (const [field, value] of Object.entries(document) as [string, unknown][])
    next[nameOf.get(field) ?? field] = value
  if (name === 'payments') return withLosses(next)
  return name === 'orders' ? withTerms(next) : next
}

const isRenamed = (name: string) => name in RENAMED || name === 'courses'

// Prisma's own marker moves on; by an index on time, the engine may remove what has expired.
const COMPARED = (name: string) =>
  !['_prisma_migrations', 'sessions', 'email_tokens', 'throttles'].includes(name)

async function expectBroughtAlong({ db }: Restored, isWanted = COMPARED): Promise<void> {
  for (const { name, documents } of saved.filter((one) => isWanted(one.name))) {
    const found = await db
      .collection(name)
      .find({}, { promoteValues: false, sort: { _id: 1 } })
      .toArray()
    const wanted = documents.map((document) => expected(name, document))
    expect(sorted(found), name).toEqual(sorted(wanted))
  }
}

const sorted = (documents: Document[]) =>
  documents
    .map((one) =>
      BSON.EJSON.stringify(Object.fromEntries(Object.entries(one).sort()), { relaxed: false }),
    )
    .sort()

describe('a database made before the payment port', () => {
  it('is brought along by npm run db:update, document by document, and loses nothing', async () => {
    const old = await anOldDatabase()
    const env = { ...process.env, DATABASE_URL: old.url }
    const run = (script: string, ...args: string[]) =>
      promisify(execFile)('npm', ['run', '-s', script, '--', ...args], { env })
    expect((await run('db:update', '--confirm', old.db.databaseName)).stderr).toContain('gateways')
    await expectBroughtAlong(old)
    expect((await run('db:verify', '--strict')).stdout).toContain('"exitCode":0')
    expect(await migrateData(old.url, await readContract())).toEqual([])
    await applyContract(old.url)
    await expectBroughtAlong(old)
  }, 60_000)

  it('is brought along whenever the migration was killed before', async () => {
    const contract = await readContract()
    const count = gateways.steps(client.db('none'), contract).length
    for (let killedAfter = 1; killedAfter < count; killedAfter += 1) {
      const old = await anOldDatabase(isRenamed)
      for (const step of gateways.steps(old.db, contract).slice(0, killedAfter)) await step()
      await migrateData(old.url, contract)
      await expectBroughtAlong(old, isRenamed)
      await old.db.dropDatabase()
    }
  }, 120_000)

  it('is brought along when only some of a sale had its terms, and only some were barred', async () => {
    const contract = await readContract()
    const old = await anOldDatabase()
    await migrateData(old.url, contract)
    const terms = ['lessonCount', 'refundDays', 'refundMaxPercent']
    const forget = { $unset: Object.fromEntries(terms.map((name) => [`lines.0.${name}`, ''])) }
    await old.db
      .collection('orders')
      .updateMany({ 'lines.1': { $exists: true } }, forget, { bypassDocumentValidation: true })
    await old.db
      .collection('enrollments')
      .updateMany({ barredAt: { $type: 'date' } }, { $unset: { barredAt: '' } })
    const done = await migrateData(old.url, contract)
    expect(done).toEqual(expect.arrayContaining(['sale-terms', 'admission']))
    await expectBroughtAlong(old)
  })

  it('has a unique key on every id of a gateway at each moment', async () => {
    const old = await anOldDatabase()
    for (const step of gateways.steps(old.db, await readContract())) {
      await step()
      for (const name of ['orders', 'payments', 'refunds', 'disputes']) {
        const indexes = await old.db.collection(name).indexes()
        const guarded = indexes.filter(
          ({ unique, key }) =>
            unique === true && /^(razorpay|gateway)\w+Id$/.test(Object.keys(key)[0] ?? ''),
        )
        expect(guarded.length, name).toBeGreaterThan(0)
      }
    }
  })

  it('leaves a payment that paid for two orders to the one that it was made for', async () => {
    const { url, db } = await anOldDatabase()
    const [one, two] = await db
      .collection('orders')
      .find({ paymentId: { $type: 'string' } })
      .sort({ _id: 1 })
      .limit(2)
      .toArray()
    const paymentId = one?.['paymentId'] as string
    await db.collection('orders').updateOne({ _id: two?._id as never }, { $set: { paymentId } })
    const contract = await readContract()
    expect(await migrateData(url, contract)).toContain('one order for each payment')
    await applyContract(url)
    expect(await migrateData(url, contract)).toEqual([])
    const orders = await db.collection('orders').find({ paymentId }).toArray()
    expect(orders.map(({ _id }) => _id)).toEqual([one?._id])
    expect(await db.collection('orders').findOne({ _id: two?._id as never })).toMatchObject({
      status: 'REVIEW',
      reviewReason: 'its payment pays for another order',
    })
  })

  it('is served, and everything that was half-way is brought to its end', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'books-'))
    const books = path.join(folder, 'books.json')
    await copyFile(path.join(FIXTURES, 'razorpay-books.json'), books)
    const { url } = await anOldDatabase()
    const lms = await startLms({ database: url, history: { books, at: ENDED_AT } })
    const before = await findViolations(lms.deps, { graceSeconds: 0 })
    expect(before.map(({ detail }) => detail)).toEqual([
      'is paid and not fulfilled',
      'is paid and not fulfilled',
      // Refunded before there were credit notes; a job issues them.
      ...Array.from({ length: 5 }, () => 'has no credit note'),
    ])
    for (let minutes = 0; minutes < 75; minutes += 5) {
      await lms.work()
      lms.clock.advance(5 * 60)
    }
    expect(await findViolations(lms.deps, { graceSeconds: 0 })).toEqual([])
    const orders = await lms.db.orm.orders.where({}).select('status').all()
    const countOf = (status: string) => orders.filter((order) => order.status === status).length
    expect([countOf('FULFILLED'), countOf('EXPIRED'), countOf('REVIEW')]).toEqual([20, 7, 1])
    expect(orders).toHaveLength(28)
    expect(await lms.db.orm.webhook_events.where({ state: 'WAITING' }).first()).toBeNull()
    await lms.close()
    await rm(folder, { recursive: true })
  }, 60_000)
})
