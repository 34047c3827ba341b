import type { ServerResponse } from 'node:http'

/** What a route decided; sent later, so that a fault can store first and lose the answer. */
export type Answer = {
  status: number
  headers?: Record<string, string>
  body: string
}

export function json(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  }
}

export function errorAnswer(status: number, message: string): Answer {
  const answer = json(status, { error: { message } })
  // Cloudinary names the reason in this header too, the only one a media player can see.
  return { ...answer, headers: { ...answer.headers, 'x-cld-error': message.replace(/\s+/g, ' ') } }
}

type Refusal = Error & { readonly status: number }

export function refusal(status: number, message: string): Refusal {
  return Object.assign(new Error(message), { status })
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'status' in error
}

export const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'content-length,content-range,etag,x-cld-error',
}

export function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    ...CORS,
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
  })
  response.end(answer.body)
}
