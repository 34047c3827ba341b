import { Collection, Db, type CommandStartedEvent, type Document, type MongoClient } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { withDeadline, type LimitedCollection, type LimitedDb } from '../../src/db-deadline.ts'
import { openDb, type Db as OurDb } from '../../src/db.ts'

const url = databaseUrl(inject('mongoUrl'), 'deadlines')

let db: OurDb
let client: MongoClient
let rows: LimitedCollection
let sent: Document[] = []

beforeAll(async () => {
  await applyContract(url)
  db = await openDb(`${url}${url.includes('?') ? '&' : '?'}monitorCommands=true`)
  client = Reflect.get(db.driver, 'client') as MongoClient
  client.on('commandStarted', ({ command }: CommandStartedEvent) => sent.push(command))
  rows = db.driver.collection('rows')
  await rows.insertMany(Array.from({ length: 250 }, (_, n) => ({ n })))
})
afterAll(() => db.close())
beforeEach(() => {
  sent = []
})

const HOUSEKEEPING = /^(hello|endSessions|killCursors|ping)$/

/** The deadlines of what was sent since the test began, by the name of the command. */
const deadlines = () =>
  sent
    .map((command) => [Object.keys(command)[0], command['maxTimeMS'] as unknown] as const)
    .filter(([name]) => !HOUSEKEEPING.test(name ?? ''))

/** Every statement that a collection offers; what is missing here, or too much, does not compile. */
const STATEMENTS: Record<keyof LimitedCollection, () => Promise<unknown>> = {
  aggregate: () => rows.aggregate([{ $limit: 1 }]).toArray(),
  bulkWrite: () =>
    rows.bulkWrite([
      { insertOne: { document: { n: -1 } } },
      { updateOne: { filter: { n: -1 }, update: { $set: { m: 1 } } } },
      { deleteOne: { filter: { n: -1 } } },
    ]),
  countDocuments: () => rows.countDocuments(),
  deleteMany: () => rows.deleteMany({ n: -1 }),
  deleteOne: () => rows.deleteOne({ n: -1 }),
  distinct: () => rows.distinct('n'),
  estimatedDocumentCount: () => rows.estimatedDocumentCount(),
  find: () => rows.find().toArray(),
  findOne: () => rows.findOne(),
  findOneAndDelete: () => rows.findOneAndDelete({ n: -1 }),
  findOneAndReplace: () => rows.findOneAndReplace({ n: -1 }, { n: -1 }),
  findOneAndUpdate: () => rows.findOneAndUpdate({ n: -1 }, { $set: { m: 1 } }),
  insertMany: () => rows.insertMany([{ m: 1 }]),
  insertOne: () => rows.insertOne({ m: 1 }),
  replaceOne: () => rows.replaceOne({ n: -1 }, { n: -1 }),
  updateMany: () => rows.updateMany({ n: -1 }, { $set: { m: 1 } }),
  updateOne: () => rows.updateOne({ n: -1 }, { $set: { m: 1 } }),
}

const methodsOf = (prototype: object) =>
  Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .map(([name]) => name)

const methodOf = (of: object, name: string) => Reflect.get(of, name) as () => unknown

describe('a statement', () => {
  it.each(Object.entries(STATEMENTS))('has a deadline: %s', async (_name, run) => {
    await run()
    expect(deadlines().length).toBeGreaterThan(0)
    for (const [name, deadline] of deadlines())
      if (name !== 'getMore') expect([name, deadline]).toEqual([name, 5_000])
  })

  it('of the database has a deadline', async () => {
    await db.driver.listCollections().toArray()
    await withDeadline(client, 5_000).db('deadlines-scratch').dropDatabase()
    expect(deadlines()).toEqual([
      ['listCollections', 5_000],
      ['dropDatabase', 5_000],
    ])
  })

  it('of Prisma has a deadline', async () => {
    const { leases } = db.orm
    await leases.create({ name: 'a', holder: 'b', until: new Date(0) })
    await leases.where({ name: 'a' }).update({ holder: 'c' })
    await leases.where({ name: 'a' }).updateAndCount({ holder: 'd' })
    await leases.where({ name: 'a' }).all()
    await leases.where({ name: 'a' }).deleteAndCount()
    const kinds = new Set(deadlines().map(([name]) => name))
    expect([...kinds]).toEqual(
      expect.arrayContaining(['insert', 'findAndModify', 'update', 'aggregate', 'delete']),
    )
    expect(deadlines().filter(([, deadline]) => deadline !== 5_000)).toEqual([])
  })

  it('may have a deadline of its own', async () => {
    await rows.findOne({}, { maxTimeMS: 9_000 })
    await rows.aggregate([{ $limit: 1 }], { maxTimeMS: 1_000 }).toArray()
    expect(deadlines()).toEqual([
      ['find', 9_000],
      ['aggregate', 1_000],
    ])
  })

  it('is stopped by the server when its time is over', async () => {
    const numbers = { $range: [0, 3_000_000] }
    const work = [{ $set: { sum: { $reduce: { input: numbers, initialValue: 0, in: 1 } } } }]
    const late = rows.aggregate(work, { maxTimeMS: 50 }).toArray()
    await expect(late).rejects.toMatchObject({ code: 50 })
  })

  it('that would run without a deadline is refused', () => {
    const ofCollection = methodsOf(Collection.prototype).filter((name) => !(name in STATEMENTS))
    expect(ofCollection).toContain('createIndex')
    for (const name of ofCollection)
      expect(() => methodOf(rows, name)(), name).toThrow('without a deadline')
    const allowed: (keyof LimitedDb)[] = ['collection', 'dropDatabase', 'listCollections']
    const ofDatabase = methodsOf(Db.prototype).filter(
      (name) => !allowed.some((one) => one === name),
    )
    expect(ofDatabase).toContain('command')
    for (const name of ofDatabase)
      expect(() => methodOf(db.driver, name)(), name).toThrow('without a deadline')
  })
})

describe('a cursor', () => {
  it('goes on through all its batches', async () => {
    const seen: unknown[] = []
    const found = rows.find({ n: { $gte: 0 } }, { projection: { n: 1 } })
    for await (const { n } of found.sort({ n: -1 }).batchSize(60)) seen.push(n)
    for await (const { n } of rows.aggregate([{ $match: { n: { $gte: 0 } } }], { batchSize: 60 }))
      seen.push(n)
    expect(seen).toHaveLength(500)
    expect(seen.slice(0, 2)).toEqual([249, 248])
    expect(deadlines().filter(([name]) => name === 'getMore').length).toBeGreaterThanOrEqual(8)
  })

  it('can be mapped, limited and left early', async () => {
    const numbers = rows
      .find({ n: { $gte: 0 } })
      .sort({ n: 1 })
      .limit(70)
      .map(({ n }) => Number(n) * 2)
    const seen: number[] = []
    for await (const n of numbers.batchSize(50)) {
      seen.push(n)
      if (seen.length === 60) break
    }
    expect(seen.at(-1)).toBe(118)
  })
})
