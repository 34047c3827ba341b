import type { Request, RequestHandler, Response } from 'express'
import { DomainError } from '../errors.ts'
import { answerError } from './answers.ts'
import { callerKey, type Caller } from './at-once.ts'

const KB = 1024
const MB = 1024 * KB

// What fits into the system's own buffers is taken at once, whoever reads it.
const SMALL = 64 * KB
const OF_CALLER = 32 * MB
const IN_ALL = 192 * MB
const RETRY_SECONDS = 5

/**
 * Limits the bytes of whole answers that lie in memory because whoever asked does not take them: 32 MB of one
 * caller, 192 MB of all. What is above is answered with TOO_MANY_REQUESTS or UNAVAILABLE instead.
 */
export function limitHeldAnswers(
  callerOf: (req: Request, res: Response) => Promise<Caller>,
): RequestHandler {
  const held = openHeld()
  return async (req, res, next) => {
    const key = callerKey(await callerOf(req, res))
    const end = res.end.bind(res)
    const hold = (...given: unknown[]): Response => {
      Object.assign(res, { end })
      const bytes = bytesOf(given[0])
      const refusal = bytes > SMALL && !res.headersSent ? held.refusalOf(key, bytes) : null
      if (refusal) {
        res.removeHeader('content-length')
        answerError(res, refusal)
        return res
      }
      held.add(key, bytes)
      res.once('close', () => {
        held.add(key, -bytes)
      })
      return Reflect.apply(end, res, given) as Response
    }
    Object.assign(res, { end: hold })
    next()
  }
}

const bytesOf = (body: unknown): number =>
  typeof body === 'string' || body instanceof Uint8Array ? Buffer.byteLength(body) : 0

type Held = {
  add: (key: string, bytes: number) => void
  refusalOf: (key: string, bytes: number) => DomainError | null
}

function openHeld(): Held {
  const ofCallers = new Map<string, number>()
  let inAll = 0
  return {
    add: (key, bytes) => {
      const sum = (ofCallers.get(key) ?? 0) + bytes
      if (sum > 0) ofCallers.set(key, sum)
      else ofCallers.delete(key)
      inAll += bytes
    },
    refusalOf: (key, bytes) => {
      const retry = { retryAfterSeconds: RETRY_SECONDS }
      if ((ofCallers.get(key) ?? 0) + bytes > OF_CALLER)
        return new DomainError('TOO_MANY_REQUESTS', retry)
      return inAll + bytes > IN_ALL ? new DomainError('UNAVAILABLE', retry) : null
    },
  }
}
