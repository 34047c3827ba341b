import { createHmac } from 'node:crypto'
import superjson from 'superjson'
import type { Issue, Reason } from '../../../src/errors.ts'
import { aStudent, type Person } from './people.ts'
import type { Lms } from '../harness.ts'
import type { Visitor } from '../client.ts'

/** What an authenticator app shows for this secret at this time: RFC 6238, written down anew. */
export function codeOf(secret: string, at: Date, stepsAway = 0): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at.getTime() / 30_000) + stepsAway))
  const digest = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000
  return String(number).padStart(6, '0')
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** The token of the newest mail to this address whose subject or text matches, after sending what is due. */
export async function mailedToken(lms: Lms, to: string, match: RegExp): Promise<string> {
  await lms.work()
  const { text } = await lms.smtp.waitForMail(to, match, 2_000)
  return /[?&]token=([a-z0-9]+)/.exec(text)?.[1] ?? 'no token in this mail'
}

export type Answer = {
  status: number
  reason: Reason | null
  issues: Issue[]
  retryAfter: string | null
  body: string
}

type Call = { network?: string; headers?: Record<string, string> }

/** A mutation over plain HTTP, as if it came through a proxy from that network (with TRUST_PROXY=1). */
export async function post(
  visitor: Visitor,
  call: Call & { path: string },
  input: unknown,
): Promise<Answer> {
  const response = await visitor.fetch(`/trpc/${call.path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(call.network !== undefined && { 'x-forwarded-for': call.network }),
      ...call.headers,
    },
    body: JSON.stringify(superjson.serialize(input)),
  })
  const body = await response.text()
  const parsed = JSON.parse(body) as {
    error?: { json?: { data: { reason: Reason; issues: Issue[] } }; reason?: Reason }
  }
  const data = parsed.error?.json?.data
  return {
    status: response.status,
    reason: data?.reason ?? parsed.error?.reason ?? null,
    issues: data?.issues ?? [],
    retryAfter: response.headers.get('retry-after'),
    body,
  }
}

/** Someone who has shown that the address is theirs. */
export async function aVerified(lms: Lms, name?: string): Promise<Person> {
  const person = await aStudent(lms, name)
  const emailVerifiedAt = lms.clock.now()
  await lms.db.orm.users.where({ _id: person.user.id }).update({ emailVerifiedAt })
  return person
}

/** Turns a second factor on; what an authenticator holds of it. */
export async function secondFactor({ api }: Person, lms: Lms) {
  const { secret } = await api.auth.totp.start.mutate()
  const { recoveryCodes } = await api.auth.totp.confirm.mutate({
    code: codeOf(secret, lms.clock.now()),
  })
  return { secret, recoveryCodes }
}
