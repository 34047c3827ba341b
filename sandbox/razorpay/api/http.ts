import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Body } from '../model/fields.ts'
import { Refusal } from '../model/refusal.ts'

const MAX_BODY_BYTES = 1024 * 1024

/** The JSON object of a request, or {} where it has no body; up to 1 MiB. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Refusal('Request entity too large', { status: 413 })
    chunks.push(chunk)
  }
  if (size === 0) return {}
  const text = Buffer.concat(chunks).toString('utf8')
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    throw new Refusal('The request body should be JSON')
  }
  const body = parseJson(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal('Please provide your api parameters as a JSON object')
  }
  return body as Body
}

/** Answers with JSON, whole. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('The request body is not valid JSON')
  }
}
