import { MongoClient, ObjectId, type Db, type Document } from 'mongodb'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { databaseUrl } from '../../sandbox/mongo/start.ts'

const client = new MongoClient(inject('mongoUrl'))
afterAll(() => client.close())

function newDatabase(): { url: string; db: Db } {
  const name = `schema-${randomBytes(6).toString('hex')}`
  return { url: databaseUrl(inject('mongoUrl'), name), db: client.db(name) }
}

async function runScript(url: string, ...args: string[]): Promise<string> {
  const [script = '', ...rest] = args
  const { stdout } = await promisify(execFile)('npm', ['run', '-s', script, '--', ...rest], {
    env: { ...process.env, DATABASE_URL: url },
  })
  return stdout
}

const lease = (more: Document = {}): Document => ({
  name: randomBytes(6).toString('hex'),
  holder: 'me',
  until: new Date(0),
  ...more,
})

describe('a database the contract was applied to', () => {
  const { url, db } = newDatabase()
  beforeAll(() => applyContract(url))

  test('passes strict verification, and keeps passing when applied again', async () => {
    await applyContract(url)
    expect(await runScript(url, 'db:verify', '--strict')).toContain('"exitCode":0')
  })

  test('accepts a document as declared', async () => {
    await expect(db.collection('leases').insertOne(lease())).resolves.toMatchObject({
      acknowledged: true,
    })
  })

  test.each([
    ['an undeclared field', { extra: 1 }],
    ['a field of another type', { until: '1970-01-01' }],
    ['a null where one is required', { holder: null }],
  ])('refuses %s, whoever writes it', async (_, fault) => {
    const leases = db.collection('leases')
    await expect(leases.insertOne(lease(fault))).rejects.toMatchObject({ code: 121 })
  })

  test('refuses a missing field and a value outside an enum', async () => {
    const homeless = { name: 'homeless', until: new Date(0) }
    await expect(db.collection('leases').insertOne(homeless)).rejects.toMatchObject({ code: 121 })
    const mail = {
      key: 'k',
      to: 'a@b.in',
      template: 't',
      data: {},
      attempts: 0,
      nextAt: new Date(0),
      createdAt: new Date(0),
    }
    const mails = db.collection('outbox_mails')
    await expect(mails.insertOne({ ...mail, state: 'SENT' })).rejects.toMatchObject({ code: 121 })
    await expect(mails.insertOne({ ...mail, state: 'DONE' })).resolves.toBeDefined()
  })

  test('refuses a second holder of a unique key', async () => {
    await db.collection('leases').insertOne(lease({ name: 'one' }))
    const again = db.collection('leases').insertOne(lease({ name: 'one', _id: new ObjectId() }))
    await expect(again).rejects.toMatchObject({ code: 11000 })
  })
})

describe('a database made for another contract', () => {
  test('is changed when nothing is lost by it', async () => {
    const { url, db } = newDatabase()
    await applyContract(url)
    await db.createCollection('leftover')
    await db.collection('leases').createIndex({ holder: 1 })
    await db.dropCollection('leases')
    await db.createCollection('leases', { validator: { $jsonSchema: { bsonType: 'object' } } })
    await db.collection('leases').insertOne(lease({ name: 'kept' }))

    await applyContract(url)
    expect(await db.collection('leases').countDocuments({ name: 'kept' })).toBe(1)
    expect(await db.listCollections({ name: 'leftover' }).toArray()).toEqual([])
    await expect(db.collection('leases').insertOne({ name: 'bare' })).rejects.toMatchObject({
      code: 121,
    })
  })

  test('is left alone, with a list, when documents would be lost or no longer fit', async () => {
    const { url, db } = newDatabase()
    await applyContract(url)
    await db.collection('leftover').insertOne({ precious: true })
    await db.dropCollection('leases')
    await db.createCollection('leases', { validator: { $jsonSchema: { bsonType: 'object' } } })
    await db.collection('leases').insertOne({ name: 'bare' })

    const refusal = applyContract(url)
    await expect(refusal).rejects.toThrow('Drop collection leftover, and 1 documents with it')
    await expect(refusal).rejects.toThrow('leases, which 1 of its documents do not meet')
    expect(await db.collection('leftover').countDocuments()).toBe(1)
  })
})

test('the scripts make a database, twice over, update it and verify it', async () => {
  const { url, db } = newDatabase()
  expect(await runScript(url, 'db:init')).toContain('"exitCode":0')
  expect(await runScript(url, 'db:init')).toContain('Applied 0 operation(s)')
  await db.createCollection('leftover')
  await expect(runScript(url, 'db:update')).rejects.toMatchObject({
    stdout: expect.stringContaining('CLI.CONSENT_REQUIRED') as string,
  })
  expect(await runScript(url, 'db:update', '--confirm', db.databaseName)).toContain('"exitCode":0')
  expect(await runScript(url, 'db:verify', '--strict')).toContain('"exitCode":0')
}, 60_000)
