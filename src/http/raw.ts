import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { sentenceOf } from '../errors.ts'

/** The answer to what never reaches the application: there is no request, no response and no id to name. */
export const RAW_BODY = JSON.stringify({
  error: {
    reason: 'MALFORMED_REQUEST',
    message: sentenceOf('MALFORMED_REQUEST'),
    issues: [],
  },
})

/** What helmet and Express would have set. */
export const RAW_HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'content-length': String(Buffer.byteLength(RAW_BODY)),
  'content-security-policy':
    "default-src 'none';object-src 'none';base-uri 'none';frame-ancestors 'none';form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-site',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  connection: 'close',
} as const

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Answers what is no readable HTTP, and closes: where the next request would begin cannot be known. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Nothing may be written into the middle of an answer that is already on its way.
  if (!socket.writable || error.code === 'ECONNRESET' || hasAnswerUnderWay(socket)) {
    socket.destroy()
    return
  }
  const status = STATUS_OF_CODE[error.code ?? ''] ?? 400
  const headers = Object.entries(RAW_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers.join('')}\r\n`
  socket.end(head + RAW_BODY, () => {
    socket.destroy()
  })
}

// Node itself looks at this field for the same purpose when nobody listens for the event.
function hasAnswerUnderWay(socket: Duplex): boolean {
  const message: unknown = Reflect.get(socket, '_httpMessage')
  return (
    typeof message === 'object' && message !== null && Reflect.get(message, 'headersSent') === true
  )
}
