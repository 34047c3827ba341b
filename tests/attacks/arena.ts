import { gzipSync } from 'node:zlib'
import type { Reason } from '../../src/errors.ts'
import { formOf, FORM_TYPE } from '../support/builders/media.ts'
import type { Person } from '../support/builders/people.ts'
import { PNG } from '../support/media-files.ts'
import { PROCEDURES } from '../support/procedures.ts'
import { request } from '../support/raw.ts'
import type { World } from './world.ts'

export type Attacker = 'VISITOR' | 'STUDENT' | 'INSTRUCTOR' | 'ADMIN'

/** Someone of each role who has nothing to do with what the attacks are about. */
export type Arena = World & { mallory: Record<Exclude<Attacker, 'VISITOR'>, Person> }

/** One request as it goes over the line, and how it must be refused. Nothing may have changed after it. */
export type Attack = {
  /** What the attacker does, as the end of a sentence that begins with `who`. */
  what: string
  /** Whose cookie it carries; a visitor's, none. */
  as?: Attacker
  send: (arena: Arena) => Bytes
  status: number | number[]
  reason?: Reason | Reason[]
}

export type Bytes = (cookie: string[]) => string | Buffer

const isQuery = new Map(PROCEDURES.map((procedure) => [procedure.name, procedure.isQuery]))

/** A call as an ordinary client makes it; a string is sent as it is. */
export function calling(name: string, input: unknown, headers: string[] = []): Bytes {
  const body = typeof input === 'string' ? input : JSON.stringify({ json: input })
  return (cookie) =>
    isQuery.get(name)
      ? request(`GET /trpc/${name}?input=${encodeURIComponent(body)}`, [...cookie, ...headers])
      : posting(`/trpc/${name}`, body, headers)(cookie)
}

export function posting(path: string, body: string | Buffer, headers: string[] = []): Bytes {
  return (cookie) => {
    const type = headers.some((line) => /^content-type:/i.test(line))
      ? []
      : ['Content-Type: application/json']
    const head = request(`POST ${path}`, [
      ...type,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'X-Trpc-Source: attacks',
      ...cookie,
      ...headers,
    ])
    return Buffer.concat([Buffer.from(head), Buffer.from(body)])
  }
}

export const getting =
  (path: string, headers: string[] = []): Bytes =>
  (cookie) =>
    request(`GET ${path}`, [...cookie, ...headers])

/** A form with one file, as a browser sends it. */
export function uploading(path: string, content: Buffer | string = PNG, filename = 'a.png'): Bytes {
  return posting(path, formOf([{ filename, content }]), [`Content-Type: ${FORM_TYPE}`])
}

export const packed = (body: string): Buffer => gzipSync(body)
