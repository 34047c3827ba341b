// A proxy between a server and MongoDB that reads the wire protocol and fails where a test says so. Nothing
// in the product knows of it.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { BSON } from 'mongodb'

const HEADER = 16
const OP_MSG = 2013
const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify'])

/** A command's name and the collection it is about, where it is about one. */
export type Command = { name: string; collection: string | null }

/**
 * `cut` breaks the connection and `refuse` answers with an error, and MongoDB hears nothing of the command.
 * The other two pass it on, and do the same to its answer.
 */
export type Fate =
  | ('pass' | 'cut' | 'refuse' | 'cut-answer' | 'refuse-answer')
  /** Answered in MongoDB's place. */
  | { answer: BSON.Document }

export type MongoProxy = {
  /** The database's url by way of this proxy. */
  databaseUrl: string
  /** Breaks every connection; new ones are taken. */
  breakAll: () => void
  close: () => void
}

/** Listens until it is closed, and asks about each command what is to become of it. */
export async function startMongoProxy(
  databaseUrl: string,
  fateOf: (command: Command) => Fate,
): Promise<MongoProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const mongo = connect(Number(target.port), target.hostname)
    sockets.add(client).add(mongo)
    join(client, mongo, fateOf)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = new URL(target)
  own.hostname = '127.0.0.1'
  own.port = String((server.address() as AddressInfo).port)
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    databaseUrl: own.href,
    breakAll,
    close: () => {
      server.close()
      breakAll()
    },
  }
}

/** Whether the command changes anything. */
export function isWrite({ name }: Command): boolean {
  return WRITES.has(name)
}

const BOOKS = new Set([
  'webhook_events',
  'payments',
  'orders',
  'enrollments',
  'coupon_uses',
  'invoices',
  'outbox_mails',
  'refunds',
])

/** Whether the command writes to the books, as a payment does. */
export function isBookWrite(command: Command): boolean {
  const { name, collection } = command
  // Mails are sent by a job of their own, at any time; putting one into the outbox is the payment's.
  if (collection === 'outbox_mails' && name !== 'insert') return false
  return isWrite(command) && collection !== null && BOOKS.has(collection)
}

function join(client: Socket, mongo: Socket, fateOf: (command: Command) => Fate): void {
  let losing: { fate: 'cut-answer' | 'refuse-answer'; requestId: number } | null = null
  readMessages(client, (message) => {
    const fate = fateOf(readCommand(message))
    const requestId = message.readInt32LE(4)
    if (fate === 'cut') mongo.destroy()
    else if (fate === 'refuse') client.write(errorAnswer(requestId))
    else if (typeof fate === 'object') client.write(framed(requestId, fate.answer))
    else {
      if (fate !== 'pass') losing = { fate, requestId }
      mongo.write(message)
    }
  })
  readMessages(mongo, (message) => {
    if (losing === null) client.write(message)
    else if (losing.fate === 'cut-answer') client.destroy()
    else client.write(errorAnswer(losing.requestId))
    losing = null
  })
  for (const [one, other] of [
    [client, mongo],
    [mongo, client],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}

function readMessages(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= HEADER && rest.length >= rest.readInt32LE(0)) {
      const message = rest.subarray(0, rest.readInt32LE(0))
      rest = rest.subarray(message.length)
      take(message)
    }
  })
}

// The command document's first field names the command, and its value the collection; bulk documents may
// stand before it. What is not of this protocol is a driver's greeting.
function readCommand(message: Buffer): Command {
  if (message.readInt32LE(12) !== OP_MSG) return { name: 'hello', collection: null }
  let at = HEADER + 4
  while (message[at] === 1) at += 1 + message.readInt32LE(at + 1)
  const type = at + 1 + 4
  const nameEnd = message.indexOf(0, type + 1)
  const name = message.toString('latin1', type + 1, nameEnd)
  if (message[type] !== BSON.BSONType.string) return { name, collection: null }
  const length = message.readInt32LE(nameEnd + 1)
  return { name, collection: message.toString('utf8', nameEnd + 5, nameEnd + 4 + length) }
}

function errorAnswer(requestId: number): Buffer {
  const errmsg = 'the database of this test does not answer'
  return framed(requestId, { ok: 0, code: 96, codeName: 'OperationFailed', errmsg })
}

function framed(requestId: number, answer: BSON.Document): Buffer {
  const body = BSON.serialize(answer)
  const head = Buffer.alloc(HEADER + 5)
  head.writeInt32LE(head.length + body.length, 0)
  head.writeInt32LE(requestId, 8)
  head.writeInt32LE(OP_MSG, 12)
  return Buffer.concat([head, body])
}
