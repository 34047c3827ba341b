import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'
import { pinoHttp } from 'pino-http'
import { pino, type DestinationStream, type Logger } from 'pino'
import type { Reason } from './errors.ts'
import { networkOf } from './http/network.ts'

export type { Logger }

// A second line of defence: no code logs these on purpose, and an object that carries one by accident is cut.
const SECRET_FIELDS = [
  'password',
  'passwordHash',
  'current',
  'next',
  'token',
  'tokenHash',
  'secret',
  'code',
  'cookie',
  'authorization',
  'razorpay_signature',
  'signature',
  'keySecret',
  'api_secret',
  'set-cookie',
  'x-razorpay-signature',
]

/**
 * Opens a log of JSON lines, on the standard output by default. No secret and no whole error gets into it.
 */
export function openLog(level: string, destination?: DestinationStream): Logger {
  const paths = SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])
  return pino(
    {
      level,
      redact: { paths, censor: censored },
      base: null,
      serializers: { err: errorFacts },
    },
    destination ?? pino.destination(1),
  )
}

/**
 * The code of an error is what tells a full disk from a wrong address: a word in capitals, or a number of five
 * digits at most. An authenticator's has six, and recovery codes are written small.
 */
function censored(value: unknown, path: string[]): unknown {
  const isErrorCode =
    typeof value === 'number' ? value < 100_000 : /^[A-Z][A-Z0-9_]+$/.test(String(value))
  return path.length > 1 && path.at(-1) === 'code' && isErrorCode ? value : '[redacted]'
}

type ErrorFacts = { type: string; message: string; stack?: string; code?: unknown; cause?: unknown }

/**
 * What a log may keep of an error. Drivers hang whole documents, commands and answers on theirs, and put
 * addresses and connection strings into the text.
 */
function errorFacts(error: unknown, depth = 0): ErrorFacts | string {
  if (!(error instanceof Error)) return scrub(String(error))
  const code: unknown = Reflect.get(error, 'code')
  return {
    type: error.name,
    message: scrub(error.message),
    ...(error.stack !== undefined && { stack: scrub(error.stack) }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(error.cause !== undefined && depth < 3 && { cause: errorFacts(error.cause, depth + 1) }),
  }
}

const scrub = (text: string): string =>
  text
    .slice(0, 8_000)
    .replace(/\/\/[^\s/@]{1,200}@/g, '//[redacted]@')
    .replace(/[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}/g, '[e-mail]')

const actors = new WeakMap<IncomingMessage, string>()
const networks = new WeakMap<IncomingMessage, string>()
const refusals = new WeakMap<IncomingMessage, LoggedRefusal[]>()

/** What was refused of a request, and why; of a batch, by procedure. */
export type LoggedRefusal = { reason: Reason; path?: string }

/** Says whose request it was, for its line in the log. */
export function nameActor(req: IncomingMessage, actorId: string): void {
  actors.set(req, actorId)
}

/** Says what was refused, for the one line of the request. */
export function nameRefusal(req: IncomingMessage, refusal: LoggedRefusal): void {
  refusals.set(req, [...(refusals.get(req) ?? []), refusal])
}

/**
 * One line per request: method, path without its query, status, time taken, the network it came from and the
 * account that was signed in, and what was refused of it. No headers, no bodies.
 */
export function logRequests(log: Logger): RequestHandler {
  const withCaller = (req: IncomingMessage, _res: ServerResponse, ...rest: unknown[]): object => ({
    ...(Object(rest.at(-1)) as object),
    actorId: actors.get(req) ?? null,
    network: networks.get(req) ?? 'unknown',
    ...(refusals.has(req) && { refused: refusals.get(req) }),
  })
  const write = pinoHttp({
    logger: log,
    // Our own id for every request: one that came with it could be used to forge log lines.
    genReqId: (_req, res) => {
      const id = randomUUID()
      res.setHeader('x-request-id', id)
      return id
    },
    quietReqLogger: true,
    // 503 is a gateway's or the database's fault, and asks to come again.
    customLogLevel: (_req, { statusCode }) =>
      statusCode === 503 ? 'warn' : statusCode >= 500 ? 'error' : 'info',
    customSuccessObject: withCaller,
    customErrorObject: withCaller,
    serializers: {
      req: (req: { method: string; url: string }) => ({
        method: req.method,
        path: req.url.split('?', 1)[0],
      }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
    },
  })
  return (req, res, next) => {
    // While it is connected: afterwards nobody knows its address.
    networks.set(req, networkOf(req.ip))
    write(req, res, next)
  }
}
