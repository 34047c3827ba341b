import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { differences, stateOf } from '../support/digest.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { openWire } from '../support/raw.ts'
import { reasonIn } from '../support/refusals.ts'
import type { Arena, Attack } from './arena.ts'
import { INPUTS } from './inputs.ts'
import { MONEY } from './money.ts'
import { POWERS } from './powers.ts'
import { UPLOADS } from './uploads.ts'
import { aWorld } from './world.ts'

let lms: Lms
let arena: Arena

beforeAll(async () => {
  lms = await startLms()
  const mallory = {
    STUDENT: await aStudent(lms, 'Mallory'),
    INSTRUCTOR: await anInstructor(lms),
    ADMIN: await anAdmin(lms),
  }
  arena = { ...(await aWorld(lms)), mallory }
})

async function run({ as = 'VISITOR', send, status, reason }: Attack): Promise<void> {
  // Wrong guesses are counted and then refused as such; each of these is about something else.
  lms.clock.advance(2)
  const before = await stateOf(lms)
  const known = as === 'VISITOR' ? [] : [`Cookie: ${arena.mallory[as].cookie()}`]
  const wire = openWire(lms.url)
  wire.send(send(arena)(known))
  const answer = await wire.answer()
  wire.socket.destroy()
  const shown = answer.body.slice(0, 500)
  expect([status].flat(), shown).toContain(answer.status)
  if (reason !== undefined) expect([reason].flat(), shown).toContain(reasonIn(answer.body))
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.body).not.toMatch(/node_modules|\bat \S+ \(|mongodb:|Prisma|ObjectId/)
  expect(differences(before, await stateOf(lms))).toEqual([])
  expect(Object.keys(Object.prototype)).toEqual([])
}

for (const [chapter, attacks] of Object.entries({ INPUTS, POWERS, MONEY, UPLOADS })) {
  describe(`an attacker by ${chapter.toLowerCase()}`, () => {
    for (const attack of attacks) {
      it(`changes nothing who ${attack.what}`, () => run(attack))
    }
  })
}
