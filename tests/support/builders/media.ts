import http from 'node:http'
import { expect } from 'vitest'
import type { Media } from '../../../src/media/media.ts'
import type { Reason } from '../../../src/errors.ts'
import type { Visitor } from '../client.ts'
import type { Lms } from '../harness.ts'

type Part = { name?: string; filename?: string; type?: string; content: Buffer | string }

const BOUNDARY = 'a-boundary-of-the-tests'

/** A form written by hand, as an attacker does. */
export function formOf(parts: Part[], end = `--${BOUNDARY}--\r\n`): Buffer {
  const written = parts.map(({ name = 'file', filename, type, content }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const declared = type === undefined ? '' : `\r\nContent-Type: ${type}`
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}${declared}\r\n\r\n`
    return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')])
  })
  return Buffer.concat([...written, Buffer.from(end)])
}

export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

export function postForm(
  visitor: Visitor,
  path: string,
  body: Buffer,
  type = FORM_TYPE,
): Promise<Response> {
  return visitor.fetch(path, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(body),
  })
}

/** Posts one file the way a browser does. */
export function upload(
  visitor: Visitor,
  path: string,
  content: Buffer,
  filename = 'cover.png',
): Promise<Response> {
  const form = new FormData()
  form.set('file', new Blob([new Uint8Array(content)]), filename)
  return visitor.fetch(path, { method: 'POST', body: form })
}

export async function uploaded(visitor: Visitor, path: string, content: Buffer): Promise<Media> {
  const response = await upload(visitor, path, content)
  const body = (await response.json()) as Media
  expect([response.status, body]).toEqual([201, body])
  return body
}

export async function refusedUpload(
  call: Promise<Response>,
  status: number,
  reason: Reason,
): Promise<void> {
  const response = await call
  const body = (await response.json()) as { error?: { reason?: string } }
  expect([response.status, body.error?.reason]).toEqual([status, reason])
}

export type Form = { url: string; fields: Record<string, string> }

/** Sends a file straight to Cloudinary by a signed form; answers the status. */
export async function sendForm({ url, fields }: Form, file: Buffer): Promise<number> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(file)]), 'anything')
  return (await fetch(url, { method: 'POST', body: form })).status
}

/** A request whose body is written step by step. */
export function openPost(
  lms: Lms,
  visitor: Visitor,
  path: string,
  headers: Record<string, string> = {},
): { request: http.ClientRequest; answered: Promise<number> } {
  const own = { 'content-type': FORM_TYPE, cookie: visitor.cookie(), 'x-trpc-source': 'tests' }
  const request = http.request(`${lms.url}${path}`, {
    method: 'POST',
    headers: { ...own, ...headers },
  })
  const answered = new Promise<number>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
  answered.catch(() => undefined)
  return { request, answered }
}

export const FILE_HEAD = formOf([{ filename: 'a.mp4', content: '' }], '').subarray(0, -2)
