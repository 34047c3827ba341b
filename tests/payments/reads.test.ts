import type { CommandStartedEvent, Document, MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { anOrder, payWithoutWebhooks } from '../support/builders/orders.ts'
import { newDatabaseUrl } from '../support/databases.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
let sent: Document[] = []

beforeAll(async () => {
  const url = newDatabaseUrl()
  lms = await startLms({ database: `${url}${url.includes('?') ? '&' : '?'}monitorCommands=true` })
  const client = Reflect.get(lms.db.driver, 'client') as MongoClient
  client.on('commandStarted', ({ command }: CommandStartedEvent) => sent.push(command))
})

/** How often a collection was read since; Prisma's every read is an aggregate. */
const readsOf = (name: string) =>
  sent.filter((command) => command['aggregate'] === name || command['find'] === name).length

it('verifies a payment on two reads of its order and one of its buyer', async () => {
  const opened = await anOrder(lms)
  const paid = payWithoutWebhooks(lms, opened)
  sent = []
  const order = await opened.buyer.api.orders.verify.mutate(paid)
  expect(order.status).toBe('FULFILLED')
  expect(readsOf('orders')).toBe(2)
  expect(readsOf('users')).toBe(1)
  expect(readsOf('payments')).toBe(0)
})
