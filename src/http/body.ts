import type { Request, RequestHandler, Response } from 'express'
import { DomainError, type Reason } from '../errors.ts'
import { answerError } from './answers.ts'
import { faultOfJson } from './json.ts'
import type { Timeouts } from './timeouts.ts'

/** The most that a call may bring. */
export const MAX_BODY_BYTES = 256 * 1024

/**
 * Reads the input of a call and leaves it to tRPC as text. Only plain JSON is taken: tRPC itself would run
 * mutations from multipart and octet-stream posts, which a foreign page can send unasked. And tRPC reads an
 * input only when a procedure asks for it, so what has none would run whatever was sent along. Throws
 * UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_REQUEST or DUPLICATE_PARAMETER.
 */
export const readInput: RequestHandler = async (req, _res, next) => {
  const query = new URLSearchParams(req.url.replace(/^[^?]*/, ''))
  const text = req.method === 'POST' ? await readText(req) : (query.get('input') ?? '')
  requireInput(text, query.get('batch') === '1')
  if (req.method === 'POST') req.body = text
  next()
}

// JSON is UTF-8; a second character set would be a second reading of the same bytes.
const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

async function readText(req: Request): Promise<string> {
  if (!JSON_TYPE.test(req.get('content-type') ?? '') || isEncoded(req))
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE')
  if (Number(req.get('content-length') ?? 0) > MAX_BODY_BYTES)
    throw new DomainError('BODY_TOO_LARGE')
  return textOf(await readBytes(req))
}

/**
 * Refuses a body that says it is longer, with BODY_TOO_LARGE: the parsers of others read one to its end
 * before they say so.
 */
export const refuseLongerThan =
  (bytes: number): RequestHandler =>
  (req, _res, next) => {
    if (Number(req.get('content-length') ?? 0) > bytes) throw new DomainError('BODY_TOO_LARGE')
    next()
  }

/** A kilobyte that unpacks to a hundred megabytes passes any limit on what was sent. */
function isEncoded(req: Request): boolean {
  return (req.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity'
}

function readBytes(req: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const fail = (reason: Reason) => {
      req.off('data', onData)
      reject(new DomainError(reason))
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_BODY_BYTES) fail('BODY_TOO_LARGE')
      else chunks.push(chunk)
    }
    req.on('data', onData)
    req.once('end', () => {
      resolve(Buffer.concat(chunks))
    })
    req.once('close', () => {
      fail('MALFORMED_REQUEST')
    })
    req.once('error', () => {
      fail('MALFORMED_REQUEST')
    })
  })
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new DomainError('MALFORMED_REQUEST')
  }
}

/** An input is an object, in a batch one object of them by their places; nothing at all is none. */
function requireInput(json: string, isBatch: boolean): void {
  const fault = faultOfJson(json)
  if (fault !== null) throw new DomainError(fault)
  if (json === '') return
  const input = parsed(json)
  if (!isObject(input) || (isBatch && !Object.values(input).every(isObject)))
    throw new DomainError('MALFORMED_REQUEST')
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new DomainError('MALFORMED_REQUEST')
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Cuts off whoever does not get a body across in time, answered with TOO_SLOW, and whoever goes on sending
 * one that was refused. Uploads are honest work for minutes and have a minimum rate.
 */
export const limitBodyTime =
  (timeouts: Timeouts): RequestHandler =>
  (req, res, next) => {
    if (!hasBody(req)) {
      next()
      return
    }
    const isUpload = req.path.startsWith('/uploads/')
    if (!isUpload) cutAfter(timeouts.body, { req, res })
    res.once('finish', () => {
      if (req.complete) return
      req.resume()
      cutAfter(timeouts.refused, { req, res })
    })
    next()
  }

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function cutAfter(milliseconds: number, { req, res }: { req: Request; res: Response }): void {
  const timer = setTimeout(() => {
    if (res.headersSent) {
      req.socket.destroy()
      return
    }
    res.once('finish', () => {
      req.socket.destroy()
    })
    answerError(res, new DomainError('TOO_SLOW'))
  }, milliseconds)
  const stop = () => {
    clearTimeout(timer)
  }
  req.once('end', stop)
  req.once('close', stop)
}
