// Stands between one instance and MongoDB and reads its wire protocol, so that the database can refuse, vanish,
// or stop answering after the nth write, made or not. Nothing in the product knows of it.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { BSON } from 'mongodb'

const HEADER = 16
const SHAKEN_MS = 2_000
const OP_MSG = 2013
const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify'])
// The driver's own watch over the server goes on: the error is answered, so nobody waits for a timeout.
const ALWAYS = new Set(['hello', 'ismaster', 'isMaster'])

/** At the nth write from now: it is made and its answer lost, or it is not made. Then once, or for ever. */
export type Doom = { writes: number; isMade: boolean; isLast: boolean }

export type Relay = {
  databaseUrl: string
  /** Answers every command with an error, until healed. */
  refuse: () => void
  /** Breaks every connection; new ones are taken. */
  blink: () => void
  heal: () => void
  doom: (doom: Doom) => void
  /** Nothing comes through any more: for the database, this instance was killed. */
  isDead: () => boolean
  /** How many commands were not answered as they should have been. */
  spoiled: () => number
  /** Its connections were just broken, which the driver may not have noticed yet. */
  isShaken: () => boolean
  close: () => void
}

type Verdict = 'pass' | 'refuse' | 'lose'

export async function startRelay(databaseUrl: string): Promise<Relay> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let mode: 'open' | 'refusing' | 'dead' = 'open'
  let doom: Doom | null = null
  let spoiled = 0
  let blinkedAt = -SHAKEN_MS

  function judge(command: string): Verdict {
    if (ALWAYS.has(command)) return 'pass'
    if (mode !== 'open') return 'refuse'
    if (!doom || !WRITES.has(command)) return 'pass'
    doom.writes -= 1
    if (doom.writes > 0) return 'pass'
    const { isMade, isLast } = doom
    if (isLast) mode = 'dead'
    doom = null
    return isMade ? 'lose' : 'refuse'
  }

  function serve(client: Socket): void {
    const mongo = connect(Number(target.port), target.hostname)
    sockets.add(client).add(mongo)
    let losing: number | null = null
    readMessages(client, (message) => {
      const verdict = judge(commandOf(message))
      if (verdict !== 'pass') spoiled += 1
      if (verdict === 'refuse') client.write(errorFor(message.readInt32LE(4)))
      else mongo.write(message)
      if (verdict === 'lose') losing = message.readInt32LE(4)
    })
    readMessages(mongo, (message) => {
      client.write(losing === null ? message : errorFor(losing))
      losing = null
    })
    join(client, mongo)
  }

  const server = createServer(serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  target.hostname = '127.0.0.1'
  const own = new URL(target)
  own.port = String((server.address() as AddressInfo).port)

  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    databaseUrl: own.href,
    refuse: () => {
      if (mode !== 'dead') mode = 'refusing'
    },
    blink: () => {
      spoiled += 1
      blinkedAt = performance.now()
      breakAll()
    },
    heal: () => {
      doom = null
      if (mode !== 'dead') mode = 'open'
    },
    doom: (next) => {
      doom = { ...next }
    },
    isDead: () => mode === 'dead',
    spoiled: () => spoiled,
    isShaken: () => performance.now() - blinkedAt < SHAKEN_MS,
    close: () => {
      server.close()
      breakAll()
    },
  }
}

function join(client: Socket, mongo: Socket): void {
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

/** The first field's name of the command document; bulk documents may stand before it. */
function commandOf(message: Buffer): string {
  if (message.readInt32LE(12) !== OP_MSG) return 'hello'
  let at = HEADER + 4
  while (message[at] === 1) at += 1 + message.readInt32LE(at + 1)
  const name = at + 1 + 4 + 1
  return message.toString('latin1', name, message.indexOf(0, name))
}

function errorFor(requestId: number): Buffer {
  const errmsg = 'the simulated database does not answer'
  const body = BSON.serialize({ ok: 0, code: 96, codeName: 'OperationFailed', errmsg })
  const head = Buffer.alloc(HEADER + 5)
  head.writeInt32LE(head.length + body.length, 0)
  head.writeInt32LE(requestId, 8)
  head.writeInt32LE(OP_MSG, 12)
  return Buffer.concat([head, body])
}
