import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc'
import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import { requestIdOf } from '../context.ts'
import type { Deps } from '../deps.ts'
import { codeOf, DomainError, sentenceOf, type Reason } from '../errors.ts'
import { nameRefusal } from '../log.ts'
import { refusalOf } from '../refusal.ts'

/**
 * The one JSON body of every refusal that is not a procedure's:
 * `{ error: { reason, message, issues, requestId } }`. Under /trpc it has the shape of a procedure's own, so
 * that `data.reason` is there for its clients. An answer that has begun is cut off.
 */
export function answerError(res: Response, refusal: DomainError): void {
  if (res.headersSent) return void res.destroy()
  const { reason, issues, retryAfterSeconds } = refusal
  if (retryAfterSeconds !== undefined) res.set('retry-after', String(retryAfterSeconds))
  const message = sentenceOf(reason)
  const requestId = requestIdOf(res.req)
  const code = codeOf(reason)
  const httpStatus = getHTTPStatusCodeFromError(new TRPCError({ code }))
  const data = { code, httpStatus, reason, issues, requestId }
  res.status(httpStatus).json({
    error: res.req.originalUrl.startsWith('/trpc')
      ? { json: { message, code: TRPC_ERROR_CODES_BY_KEY[code], data } }
      : { reason, message, issues, requestId },
  })
}

/** Nothing here is a page or a file: no answer may be kept, by a browser or by what stands between. */
export const forbidCaching: RequestHandler = (_req, res, next) => {
  res.set('cache-control', 'no-store')
  next()
}

const MOST_OF_QUERIES = 2 * 1024 * 1024

/**
 * A streamed batch sends its headers with the first byte, and a sign-in inside it could then set no cookie
 * any more though it went well. So batches are answered whole. Twenty large answers are asked for by a line,
 * and refused with ANSWER_TOO_LARGE; what was changed is told in any case, and is never as large.
 */
export const holdBatches: RequestHandler = (req, res, next) => {
  const accepted = `${req.get('trpc-accept') ?? ''} ${req.get('accept') ?? ''}`
  if (req.query['batch'] === '1' || accepted.includes('jsonl')) {
    const held: Buffer[] = []
    const hold = (chunk: string | Uint8Array) => held.push(Buffer.from(chunk)) > 0
    const [write, end] = [res.write.bind(res), res.end.bind(res)]
    Object.assign(res, {
      write: hold,
      end: (chunk?: string | Uint8Array) => {
        if (chunk !== undefined) hold(chunk)
        Object.assign(res, { write, end })
        const whole = Buffer.concat(held)
        if (req.method === 'GET' && whole.length > MOST_OF_QUERIES)
          answerError(res, new DomainError('ANSWER_TOO_LARGE'))
        else res.end(whole)
        return res
      },
    })
  }
  next()
}

/** Refuses with NOT_FOUND what no path before it took. */
export const notFound: RequestHandler = () => {
  throw new DomainError('NOT_FOUND')
}

/** The last handler: turns whatever was thrown into the one JSON body, and logs what we did not expect. */
export const handleErrors =
  ({ log }: Pick<Deps, 'log'>): ErrorRequestHandler =>
  (error, req, res, _next) => {
    const refusal = refusalAtDoor(error)
    if (refusal.reason === 'INTERNAL')
      log.error({ err: error, requestId: requestIdOf(req) }, 'request failed')
    else nameRefusal(req, { reason: refusal.reason })
    answerError(res, refusal)
  }

const REASON_OF_STATUS: Partial<Record<number, Reason>> = {
  400: 'MALFORMED_REQUEST',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  408: 'TOO_SLOW',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
}

/** Body parsers and Express' own router throw errors that carry a status; any other error is INTERNAL. */
function refusalAtDoor(error: unknown): DomainError {
  const refusal = refusalOf(error)
  if (refusal) return refusal
  const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined
  return new DomainError(
    (typeof status === 'number' ? REASON_OF_STATUS[status] : undefined) ?? 'INTERNAL',
  )
}
