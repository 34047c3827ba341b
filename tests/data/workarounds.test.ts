import { defineConfig } from '@prisma/orm-mongo/config'
import { MongoControlDriver } from '@prisma/orm-mongo/driver/control'
import { createControlClient } from '@prisma/orm-toolchain/cli/control-api'
import { MongoClient } from 'mongodb'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import {
  controlDriver,
  controlDriverSeeing,
  withoutSimpleCollation,
} from '../../prisma/control-driver.ts'
import { databaseUrl, startMongo } from '../../sandbox/mongo/start.ts'

// Each test shows a defect that something in the project answers. When one fails after an upgrade, the
// defect is gone: remove the answer it names, and the test.

const url = databaseUrl(inject('mongoUrl'), 'workarounds')
const client = new MongoClient(url)
const db = client.db()

beforeAll(() => applyContract(url))
afterAll(() => client.close())

async function planDrops(driver: typeof controlDriver): Promise<string[]> {
  const { family, target, adapter } = defineConfig({ contract: 'contract.prisma' })
  const control = createControlClient({ family, target, adapter, driver, connection: url })
  try {
    const contract = JSON.parse(await readFile('prisma/contract.json', 'utf8')) as unknown
    const plan = await control.dbUpdate({
      contract,
      mode: 'plan',
      migrationsDir: 'prisma/migrations',
    })
    const operations = plan.ok ? plan.value.plan.operations : []
    return operations.map(({ id }) => id).filter((id) => id.includes('.drop('))
  } finally {
    await control.close()
  }
}

/** Runs a script that has the engine to itself, with nothing in between; resolves to its end. */
async function runBare(script: string): Promise<{ signal?: string | null }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'bare-engine-'))
  const setting = `
    import { loadEngine } from './sandbox/mongo/native.ts'
    import { runCommand } from './sandbox/mongo/wire.ts'
    const engine = await loadEngine().open(${JSON.stringify(dir)})
    ${script}
    process.exit(0)`
  const args = ['--input-type=module', '-e', setting]
  try {
    await promisify(execFile)(process.execPath, args)
    return {}
  } catch (error) {
    return error as { signal: string | null }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

test('control-driver, withoutSimpleCollation: the server lists the simple collation', async () => {
  const indexes = await db.collection('leases').listIndexes().toArray()
  expect(indexes.map(({ collation }) => collation as unknown)).toEqual([
    { locale: 'simple' },
    { locale: 'simple' },
  ])
})

test('control-driver, withDeclaredTextKeys: the planner drops text indexes as it finds them', async () => {
  expect(await planDrops(controlDriverSeeing(withoutSimpleCollation))).toEqual([
    expect.stringMatching(/^index\.courses\.drop\(_fts/),
  ])
  expect(await planDrops(controlDriver)).toEqual([])
})

test('control-driver, rebuildCollection: the server has no collMod', async () => {
  const change = db.command({ collMod: 'leases', validationLevel: 'strict' })
  await expect(change).rejects.toMatchObject({ code: 59 })
})

test('control-driver, databaseName: the driver does not tell which database it is on', () => {
  expect('databaseName' in MongoControlDriver.prototype).toBe(false)
})

test('sandbox/mongo/wire, DEADLY: commands about sessions end the server', async () => {
  const end = await runBare('await runCommand(engine, { killAllSessions: [] })')
  expect(end.signal).toBe('SIGSEGV')
  expect(await runBare('await runCommand(engine, { ping: 1 })')).toEqual({})
})

test('sandbox/mongo/server, multiPlanning: the usual ranker cannot choose between indexes', async () => {
  const mongo = await startMongo()
  const own = new MongoClient(mongo.databaseUrl('ranker'))
  const items = own.db().collection<{ a: number; b: number; c?: number }>('items')
  await items.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }])
  await items.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ a: n % 7, b: n % 5 })))
  // Candidate plans are only compared by cost when running each for a while finds too little.
  const query = (): Promise<unknown> =>
    items.find({ a: { $in: [1, 2] }, b: { $in: [1, 2] }, c: 5 }).toArray()
  await own.db('admin').command({ setParameter: 1, internalQueryPlanRanker: 'mixed' })
  await expect(query()).rejects.toMatchObject({ code: 224 })
  await own.db('admin').command({ setParameter: 1, internalQueryPlanRanker: 'multiPlanning' })
  await expect(query()).resolves.toEqual([])
  await own.close()
  await mongo.close()
})
