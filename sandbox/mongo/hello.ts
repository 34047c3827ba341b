import { BSON } from 'mongodb'
import type net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// MongoDB since 4.4 carries a `topologyVersion` in its hello and lets the driver's monitor wait for the next
// one. Without it the monitor polls, and after all connections break at once it may wait for ever: only a
// server with a version is looked at anew when a connection to it fails.

const EXHAUST_ALLOWED = 1 << 16
const FLAGS = 16
const COMMAND = FLAGS + 4 + 1

const GREETINGS = new Set(['hello', 'ismaster', 'isMaster'])

// One process has one state from its start to its end, so the counter never moves.
const PROCESS = new BSON.ObjectId()
const TOPOLOGY_VERSION = BSON.serialize({
  topologyVersion: { processId: PROCESS, counter: BSON.Long.ZERO },
})

/** Whether the command of this name is a driver's greeting. */
export function isGreeting(name: string): boolean {
  return GREETINGS.has(name)
}

/** The greeting's answer with the version, appended as it is: decoded, its numbers could change type. */
export function withTopologyVersion(answer: Buffer): Buffer {
  const whole = Buffer.concat([
    answer.subarray(0, -1),
    TOPOLOGY_VERSION.subarray(4, -1),
    Buffer.of(0),
  ])
  whole.writeInt32LE(whole.length, 0)
  return whole
}

/** How long the monitor wants to wait for news, and whether it takes one answer after another. */
export type Awaited = { milliseconds: number; isStream: boolean }

/** What a greeting by OP_MSG asks to wait for; null where it wants to know at once. */
export function awaitedBy(message: Buffer): Awaited | null {
  const { topologyVersion, maxAwaitTimeMS } = BSON.deserialize(message.subarray(COMMAND)) as {
    topologyVersion?: { processId?: unknown }
    maxAwaitTimeMS?: unknown
  }
  if (topologyVersion === undefined || typeof maxAwaitTimeMS !== 'number') return null
  // What it knows is another process, one before this: that is news already.
  const isKnown = PROCESS.equals(String(topologyVersion.processId))
  return {
    milliseconds: isKnown ? maxAwaitTimeMS : 0,
    isStream: (message.readUInt32LE(FLAGS) & EXHAUST_ALLOWED) !== 0,
  }
}

/** Waits so long, or until the connection closes. */
export async function pause(socket: net.Socket, milliseconds: number): Promise<void> {
  const closing = new AbortController()
  const stop = () => {
    closing.abort()
  }
  socket.once('close', stop)
  await sleep(milliseconds, undefined, { signal: closing.signal }).catch(() => undefined)
  socket.off('close', stop)
}
