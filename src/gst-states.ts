// Which state of India somebody means. Tax hangs on it, so what is not understood is refused and never guessed.
import { z } from 'zod'
import { line } from './fields.ts'
import { fold } from './fold.ts'
import { foldedName as folded } from './gst-name-folding.ts'
import { STATE_NAMES } from './gst-state-names.ts'

/** `code` is the one that begins a GSTIN: two digits. */
export type GstState = { code: string; name: string }

/** Whoever buys from abroad says so in place of a state; returns know it by this code. */
export const OUTSIDE_INDIA = '96'

// Of two territories that were joined, and of Andhra Pradesh before it was divided.
const FORMER: Readonly<Record<string, string>> = { '25': '26', '28': '37' }

// Without a legislature of their own: their share of the tax is called another name.
const UTGST = new Set(['04', '26', '31', '35', '38', '97'])

const BY_CODE = new Map<string, GstState>()
const BY_NAME = new Map<string, GstState>()
for (const [code, names] of Object.entries(STATE_NAMES)) {
  const [name = '', ...others] = names.split(',').map((one) => one.trim())
  const state = { code, name }
  BY_CODE.set(code, state)
  for (const one of [name, ...others]) BY_NAME.set(folded(one), state)
}

/** The state of a code of one or two digits, former codes too. */
export function stateOfCode(digits: string): GstState | null {
  if (!/^\d{1,2}$/.test(digits)) return null
  const code = digits.padStart(2, '0')
  return BY_CODE.get(FORMER[code] ?? code) ?? null
}

/** The state of a name in any of the scripts of India, of an abbreviation, a code, or both: `29-Karnataka`. */
export function stateOf(text: string): GstState | null {
  const whole = fold(text)
  const known = BY_NAME.get(folded(whole))
  if (known) return known
  const plain = whole
    .replace(/^IND?[\s-]+(?=[a-z]{2}$)/i, '')
    .replace(/^(state|union territory|ut) of /i, '')
    .replace(/[\s,]+(state|india|bharat)$/i, '')
  const [, before = '', digits, after = ''] = /^(\D*)(\d{1,2})(\D*)$/.exec(plain) ?? []
  if (digits === undefined) return BY_NAME.get(folded(plain)) ?? null
  const name = folded(before + after)
  const state = stateOfCode(digits)
  return name === '' || BY_NAME.get(name) === state ? state : null
}

/** What the state's half of the tax is called. */
export function stateTaxOf({ code }: GstState): 'SGST' | 'UTGST' {
  return UTGST.has(code) ? 'UTGST' : 'SGST'
}

const ALL = [...BY_CODE.values()]
  .map(({ name }) => name)
  .sort()
  .join(', ')

/** A state by any name that is understood, as the name that is printed. */
export const StateName = line(1, 100).transform((text, context) => {
  const state = stateOf(text)
  if (state) return state.name
  const message = `must be a state or union territory of India by its name, its two letters or its GST code, one of: ${ALL}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})
