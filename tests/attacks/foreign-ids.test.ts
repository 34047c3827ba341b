import { beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { differences, stateOf, type State } from '../support/digest.ts'
import { defOf, isId } from '../fuzz/arbitrary.ts'
import { call, openCallers, type Callers, type RoleName } from '../fuzz/callers.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PROCEDURES, type Procedure } from '../support/procedures.ts'
import { PRIVATE, aWorld, idsByName, type World } from './world.ts'

type Schema = z.core.$ZodType

const STRANGERS: RoleName[] = ['VISITOR', 'STUDENT', 'INSTRUCTOR']
// What anyone may do with the ids of others: buy, enrol where it is free, look at what is public.
const OPEN_TO_ALL = ['orders.create', 'enrollments.start', 'media.signUpload']

let lms: Lms
let world: World
let callers: Callers
let ids: Map<string, string[]>

beforeAll(async () => {
  lms = await startLms()
  world = await aWorld(lms)
  callers = openCallers(lms)
  for (const role of STRANGERS) await callers.get(role)
  ids = await idsByName(lms, world)
})

/** The fields of a procedure's input, without what stands around each. */
function fieldsOf({ inputs }: Procedure): Map<string, Schema> {
  const fields = new Map<string, Schema>()
  for (const input of inputs) {
    const whole = defOf(bare(input))
    for (const option of whole.type === 'union' ? whole.options : [bare(input)]) {
      const def = defOf(option)
      if (def.type !== 'object') continue
      for (const [name, field] of Object.entries(def.shape as Record<string, Schema>))
        fields.set(name, field)
    }
  }
  return fields
}

function bare(schema: Schema): Schema {
  const def = defOf(schema)
  if (def.type === 'pipe' && defOf(def.in).type === 'transform') return bare(def.out)
  return 'innerType' in def ? bare(def.innerType) : schema
}

function isIdShaped(name: string, schema: Schema): boolean {
  const inner = bare(schema)
  const def = defOf(inner)
  if (def.type === 'array') return isIdShaped(name, def.element)
  if (def.type === 'union') return def.options.some((option) => isIdShaped(name, option))
  return def.type === 'string' && (isId(inner) || /Ids?$|^id$/.test(name))
}

/** One plausible value, so that an input is refused for whose the ids are and not for its shape. */
function plausible(name: string, schema: Schema): unknown {
  const def = defOf(bare(schema))
  switch (def.type) {
    case 'string':
      if (/body|description|text/i.test(name)) return '<p>Defaced by a stranger</p>'
      return name === 'code' ? 'WORLD10' : 'Defaced by a stranger'
    case 'number':
      return 3
    case 'boolean':
      return true
    case 'date':
      return new Date(4e12)
    case 'enum':
      return Object.values(def.entries)[0]
    case 'literal':
      return def.values[0]
    case 'array':
      return [plausible(name, def.element)]
    case 'union':
      return plausible(name, def.options[0] ?? schema)
    case 'object':
      return Object.fromEntries(
        Object.entries(def.shape as Record<string, Schema>).map(([key, field]) => [
          key,
          plausible(key, field),
        ]),
      )
    case 'pipe':
      return plausible(name, def.in)
    default:
      return undefined
  }
}

/** Every combination of other people's ids in every field that is made for one. */
function inputsOf(procedure: Procedure): Record<string, unknown>[] {
  const fields = [...fieldsOf(procedure)]
  const others = fields.filter(([name, schema]) => !isIdShaped(name, schema))
  const base = Object.fromEntries(others.map(([name, schema]) => [name, plausible(name, schema)]))
  const withoutOptional = Object.fromEntries(
    others
      .filter(([, schema]) => schema._zod.optin === undefined)
      .map(([name, schema]) => [name, plausible(name, schema)]),
  )
  const named = fields.filter(([name, schema]) => isIdShaped(name, schema))
  if (named.length === 0) return []
  const inputs = [base, withoutOptional].flatMap((rest) =>
    named.reduce<Record<string, unknown>[]>(
      (inputs, [name, schema]) =>
        inputs.flatMap((input) =>
          (ids.get(name) ?? ids.get('id') ?? []).map((id) => ({
            ...input,
            [name]: defOf(bare(schema)).type === 'array' ? [id] : id,
          })),
        ),
      [rest],
    ),
  )
  const step = Math.ceil(inputs.length / MOST_INPUTS)
  return inputs.filter((_, at) => at % step === 0)
}

const CALLS_AT_ONCE = 8
const MOST_INPUTS = 31

function leaks(text: string): string[] {
  const { buyer, admin, sale, openOrder } = world
  const marks = [PRIVATE, buyer.user.email, admin.user.email, sale.order_id, openOrder.order_id]
  return [...marks, sale.paymentId, '"explanation"', 'signature='].filter((mark) =>
    text.includes(mark),
  )
}

describe('other people’s ids', () => {
  const named = PROCEDURES.filter((procedure) =>
    [...fieldsOf(procedure)].some(([name, schema]) => isIdShaped(name, schema)),
  )

  it('are asked for by many procedures', () => {
    expect(named.length).toBeGreaterThan(40)
  })

  for (const procedure of named) {
    it(`open nothing and change nothing: ${procedure.name}`, async () => {
      for (const role of STRANGERS) {
        const visitor = await callers.get(role)
        const before = await stateOf(lms)
        const inputs = inputsOf(procedure)
        expect(inputs.length).toBeGreaterThan(0)
        for (let at = 0; at < inputs.length; at += CALLS_AT_ONCE) {
          await Promise.all(
            inputs.slice(at, at + CALLS_AT_ONCE).map(async (input) => {
              const { status, reason, text } = await call(visitor, procedure, input)
              const shown = JSON.stringify({ role, input, status, text: text.slice(0, 300) })
              expect(status, shown).toBeLessThan(500)
              expect(leaks(text), shown).toEqual([])
              if (role === 'VISITOR' && status >= 400)
                expect(reason, shown).toMatch(/UNAUTHENTICATED|NOT_FOUND|INVALID|NOT_ENROLLED/)
            }),
          )
        }
        expectUnchanged(before, await stateOf(lms), procedure)
      }
    })
  }
})

/** What was there is as it was; what is new is the stranger's own, and only where anyone may do that. */
function expectUnchanged(before: State, after: State, { name }: Procedure): void {
  const changed = differences(before, after)
  const touched = changed.filter((place) => before.has(place))
  expect(touched).toEqual([])
  if (!OPEN_TO_ALL.includes(name)) expect(changed).toEqual([])
}
