import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { openLog } from '../src/log.ts'

function logged(fields: object): string {
  let text = ''
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  openLog('info', destination).info(fields, 'something')
  return text
}

const failure = (code: unknown, cause?: Error) =>
  Object.assign(new Error('it failed', { ...(cause && { cause }) }), { code })

describe('the log', () => {
  it.each(['ECONNREFUSED', 'ERR_INVALID_URL', 11000, 50])(
    'shows the code %s of an error',
    (code) => {
      expect(logged({ err: failure(code) })).toContain(JSON.stringify(code))
      expect(logged({ err: failure('EOUTER', failure(code)) })).toContain(JSON.stringify(code))
    },
  )

  it('shows no code of an authenticator, wherever it lies', () => {
    const code = '493017'
    for (const fields of [
      { code },
      { input: { code } },
      { call: { input: { code } } },
      { err: failure(code) },
      { err: failure('k3j4-m5n6', failure(code)) },
    ])
      expect(logged(fields)).not.toMatch(/493017|k3j4/)
  })
})
