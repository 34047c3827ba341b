import { MongoClient, type ServerHeartbeatSucceededEvent } from 'mongodb'
import { describe, expect, inject, it } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { newDatabaseUrl } from '../support/databases.ts'
import { startLms } from '../support/harness.ts'
import { startMongoProxy } from '../support/mongo-proxy.ts'

const CUTS = 40

describe('the embedded MongoDB', () => {
  it('keeps a monitor waiting for news, and tells it again that there are none', async () => {
    const client = new MongoClient(databaseUrl(inject('mongoUrl'), 'reconnect'), {
      heartbeatFrequencyMS: 500,
    })
    const heard: ServerHeartbeatSucceededEvent[] = []
    let failures = 0
    client.on('serverHeartbeatSucceeded', (event) => heard.push(event))
    client.on('serverHeartbeatFailed', () => (failures += 1))
    await client.connect()
    // Four of them: three answers of one stream, each of which refers to the one before.
    await expect.poll(() => heard.filter(({ awaited }) => awaited).length).toBeGreaterThan(3)
    expect(failures).toBe(0)
    expect(heard.at(-1)?.reply['topologyVersion']).toEqual(heard[0]?.reply['topologyVersion'])
    await client.close()
  })
})

describe('a server whose connections to the database break all at once', () => {
  it(`answers again, each of ${CUTS} times, without a new start`, async () => {
    const database = newDatabaseUrl()
    const proxy = await startMongoProxy(database, () => 'pass')
    const lms = await startLms({ database, env: { DATABASE_URL: proxy.databaseUrl } })
    const get = async (path: string) => (await fetch(`${lms.url}${path}`)).status
    for (let cut = 1; cut <= CUTS; cut += 1) {
      // Some are under way when it happens, so that the pool's connections break as well as the monitor's.
      const underWay = Array.from({ length: 12 }, () => get('/trpc/courses.list'))
      if (cut % 2 === 0) await new Promise(setImmediate)
      proxy.breakAll()
      await expect.poll(() => get('/readyz'), { message: `after cut ${cut}` }).toBe(200)
      expect(await get('/trpc/courses.list')).toBe(200)
      for (const status of await Promise.all(underWay)) expect([200, 503]).toContain(status)
    }
    await lms.close()
    proxy.close()
  }, 300_000)
})
