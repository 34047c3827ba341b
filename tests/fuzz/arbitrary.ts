import fc, { type Arbitrary } from 'fast-check'
import type { z } from 'zod'

/**
 * What is known to exist in the database: inputs that name nothing real never get past the first question.
 */
export type Pool = { ids: string[]; words: string[]; idsByName: Map<string, string[]> }

type Schema = z.core.$ZodType
type Def = z.core.$ZodTypes['_zod']['def']

/** What is often forgotten about, besides ordinary text. */
const ODD_TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  '$where',
  '$ne',
  'a.b',
  '{"$gt":""}',
  "' || '1'=='1",
  '<img src=x onerror=alert(1)>',
  '<p>ordinary</p>',
  'javascript:alert(1)',
  '../../etc/passwd',
  '%00',
  '\u0000',
  '\r\nX-Injected: 1',
  '\u202egnp.exe',
  '\ud800',
  'ﷺ',
  'İ',
  '\u0130'.repeat(60),
  '💥'.repeat(30),
  'e\u0301',
  '(a+)+$',
  '[',
  '\\',
  'a'.repeat(300),
  'NaN',
  '1e999',
  'nobody@example.test',
]

const ODD_NUMBERS = [
  -0,
  -1,
  0.1,
  1e21,
  2 ** 31,
  2 ** 31 - 1,
  2 ** 53,
  -(2 ** 31),
  Number.NaN,
  Number.POSITIVE_INFINITY,
]

const ODD_DATES = [0, -1, 8.64e15, Number.NaN, 1e12, 4e12, -6e13].map((time) => new Date(time))

/** Objects that a query language would read as orders, and others no field is made for. */
const HOSTILE: unknown[] = [
  { $ne: null },
  { $gt: '' },
  { $regex: '.*' },
  { $where: 'sleep(5000)' },
  { $in: [] },
  { $expr: { $function: { body: 'function(){}', args: [], lang: 'js' } } },
  { toString: 1 },
  { length: -1 },
  { then: 1 },
  [],
  [[]],
  [null],
  {},
  null,
  undefined,
  true,
  '',
  ...ODD_NUMBERS,
]

const EXTRA_FIELDS = {
  role: 'ADMIN',
  id: '0'.repeat(24),
  _id: '0'.repeat(24),
  userId: '0'.repeat(24),
  ownerId: '0'.repeat(24),
  status: 'PUBLISHED',
  emailVerified: true,
  passwordHash: 'x',
  amountPaise: 1,
  currency: 'USD',
  constructor: { prototype: { role: 'ADMIN' } },
  $set: { role: 'ADMIN' },
  where: {},
  include: { passwordHash: true },
  select: { passwordHash: true },
  orderBy: { $natural: -1 },
  take: -1,
}

export const defOf = (schema: Schema): Def => schema._zod.def as Def

type Limits = { least?: number; most?: number; format?: string; pattern?: RegExp }

type CheckDef = {
  check: string
  minimum?: number
  maximum?: number
  value?: number
  format?: string
  pattern?: RegExp
}

/** What a schema's own checks say of its values; a format can be the schema itself. */
function limitsOf(schema: Schema): Limits {
  const def = defOf(schema) as unknown as CheckDef & { checks?: Schema[] }
  const checks = [def, ...(def.checks ?? []).map((check) => check._zod.def as unknown as CheckDef)]
  const limits: Limits = {}
  for (const { check, minimum, maximum, value, format, pattern } of checks) {
    if (check === 'min_length') limits.least = minimum ?? 0
    if (check === 'max_length') limits.most = maximum ?? 0
    if (check === 'greater_than') limits.least = value ?? 0
    if (check === 'less_than') limits.most = value ?? 0
    if (check === 'string_format' && pattern) Object.assign(limits, { format, pattern })
  }
  return limits
}

export const isId = (schema: Schema): boolean =>
  limitsOf(schema).pattern?.source === '^[0-9a-f]{24}$'

/** Values a schema takes, or nearly: what only code can check is left to chance. */
export function valid(schema: Schema, pool: Pool, name = ''): Arbitrary<unknown> {
  const def = defOf(schema)
  const of = (inner: Schema) => valid(inner, pool, name)
  switch (def.type) {
    case 'object': {
      const entries = Object.entries(def.shape as Record<string, Schema>)
      const required = entries.filter(([, field]) => field._zod.optin === undefined)
      return fc.record(
        Object.fromEntries(entries.map(([key, field]) => [key, valid(field, pool, key)])),
        {
          requiredKeys: required.map(([name]) => name),
        },
      )
    }
    case 'string':
      return text(schema, pool, name)
    case 'number': {
      const { least = -1000, most = least + 1000 } = limitsOf(schema)
      return fc.oneof(fc.integer({ min: least, max: most }), fc.constantFrom(least, most))
    }
    case 'boolean':
      return fc.boolean()
    case 'date':
      return fc.oneof(fc.date(), fc.constantFrom(...ODD_DATES))
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries))
    case 'literal':
      return fc.constantFrom(...def.values)
    case 'array': {
      const { least = 0, most = 5 } = limitsOf(schema)
      const maxLength = Math.max(least, Math.min(most, 5))
      return fc.array(of(def.element), { minLength: least, maxLength })
    }
    case 'union':
      return fc.oneof(...def.options.map(of))
    case 'pipe':
      return of(defOf(def.in).type === 'transform' ? def.out : emailBehind(def.in, def.out))
    case 'nullable':
      return fc.option(of(def.innerType), { nil: null })
    case 'optional':
      return fc.option(of(def.innerType), { nil: undefined })
    case 'default':
    case 'prefault':
    case 'readonly':
      return of(def.innerType)
    default:
      throw new Error(`The fuzz run knows no ${def.type}: teach it.`)
  }
}

// An e-mail is cleaned first and checked after: the second half knows what it is.
const emailBehind = (first: Schema, second: Schema): Schema =>
  defOf(second).type === 'string' ? second : first

function text(schema: Schema, pool: Pool, name: string): Arbitrary<string> {
  const named = pool.idsByName.get(name)
  if (isId(schema) || named) {
    const unknown = fc.stringMatching(/^[0-9a-f]{24}$/)
    const right = fc.constantFrom(...(named ?? pool.ids))
    return fc.oneof({ arbitrary: right, weight: 18 }, fc.constantFrom(...pool.ids), unknown)
  }
  const { format, pattern, least = 0, most = 80 } = limitsOf(schema)
  if (format === 'email') return fc.stringMatching(/^[a-z]{12}@example\.test$/)
  const fit = (value: string) => value.padEnd(least, 'x').slice(0, most)
  const words = fc.constantFrom(...pool.ids, ...pool.words)
  const odd = fc.constantFrom(...ODD_TEXTS).map(fit)
  const any = fc.string({
    unit: 'binary',
    minLength: least,
    maxLength: Math.max(least, Math.min(most, 100)),
  })
  return pattern && !pattern.flags.includes('v')
    ? fc.oneof({ arbitrary: fc.stringMatching(pattern).map(fit), weight: 3 }, words, odd)
    : fc.oneof({ arbitrary: any, weight: 2 }, words, odd)
}

/** Valid but for one thing: a field that is missing, hostile, or not asked for. */
export function nearlyValid(schema: Schema, pool: Pool): Arbitrary<unknown> {
  return fc
    .tuple(valid(schema, pool), fc.nat(), fc.constantFrom('drop', 'replace', 'add'), hostile)
    .map(([value, at, deed, foe]) => {
      if (!isRecord(value)) return foe
      const names = Object.keys(value)
      const name = names[at % Math.max(1, names.length)]
      if (deed === 'add' || name === undefined) return { ...value, ...EXTRA_FIELDS }
      if (deed === 'replace') return { ...value, [name]: foe }
      return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))
    })
}

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.constantFrom<unknown>(...ODD_TEXTS),
  fc.object(),
)

/** Anything JSON can say, whatever the procedure asked for. */
export const garbage: Arbitrary<unknown> = fc.oneof(hostile, fc.jsonValue(), fc.string())

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
