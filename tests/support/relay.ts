import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { inject } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'

/** The collections of the books. */
const BOOKS: ReadonlySet<string> = new Set([
  'webhook_events',
  'payments',
  'orders',
  'enrollments',
  'coupon_uses',
  'invoices',
  'outbox_mails',
  'refunds',
])
const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify'])
const OP_MSG = 2013

/**
 * `drop` cuts the connection instead of passing the write on, `lose` passes it on and cuts off its answer.
 */
export type Fate = 'pass' | 'drop' | 'lose'

export type Relay = { url: (database: string) => string; close: () => void }

/** Stands between a server and MongoDB and decides about each write to the watched collections. */
export async function startRelay(fateOf: (write: string) => Fate, watched = BOOKS): Promise<Relay> {
  const target = new URL(inject('mongoUrl'))
  const sockets = new Set<Socket>()
  const relay = createServer((client) => {
    const mongo = connect(Number(target.port), target.hostname)
    sockets.add(client).add(mongo)
    let rest = Buffer.alloc(0)
    let isLosing = false
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
        const message = rest.subarray(0, rest.readInt32LE(0))
        rest = rest.subarray(message.length)
        const write = writeOf(message, watched)
        const fate = write === null ? 'pass' : fateOf(write)
        if (fate === 'drop') {
          mongo.destroy()
          return
        }
        isLosing ||= fate === 'lose'
        mongo.write(message)
      }
    })
    mongo.on('data', (chunk) => {
      if (isLosing) client.destroy()
      else client.write(chunk)
    })
    for (const [one, other] of [
      [client, mongo],
      [mongo, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const { port } = relay.address() as AddressInfo
  return {
    url: (name: string) => {
      const url = new URL(databaseUrl(inject('mongoUrl'), name))
      url.hostname = '127.0.0.1'
      url.port = String(port)
      return url.href
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      relay.close()
    },
  }
}

/** `update orders`, for a command that writes to such a collection; its name is the body's first field. */
function writeOf(message: Buffer, watched: ReadonlySet<string>): string | null {
  if (message.readInt32LE(12) !== OP_MSG || message[20] !== 0) return null
  const nameEnd = message.indexOf(0, 26)
  const command = message.toString('latin1', 26, nameEnd)
  if (message[25] !== 2 || !WRITES.has(command)) return null
  const length = message.readInt32LE(nameEnd + 1)
  const collection = message.toString('utf8', nameEnd + 5, nameEnd + 4 + length)
  // Mails are sent by a job of their own, at any time; putting one into the outbox is ours.
  const isSending = collection === 'outbox_mails' && command !== 'insert'
  return watched.has(collection) && !isSending ? `${command} ${collection}` : null
}
