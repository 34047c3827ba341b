// Whom invoices are made out to. What a buyer says of the place decides which taxes are on them.
import { z } from 'zod'
import { line, personName } from './fields.ts'
import { stateOf, StateName, type GstState } from './gst-states.ts'
import { Gstin, isGstin, stateOfGstin } from './gstin.ts'

/** As it is stored: `state` by its printed name. */
export type Billing = {
  name: string
  state: string
  gstin: string | null
  address: string | null
}

/** A GSTIN says the state, and a state that is said as well must be the same. */
export const BillingProfile = z
  .object({
    name: personName(120),
    state: StateName.nullish(),
    gstin: Gstin.nullish(),
    address: line(1, 300).nullish(),
  })
  .transform(({ name, state: said, gstin, address }, context): Billing => {
    const registered =
      gstin === null || gstin === undefined ? null : (stateOfGstin(gstin)?.name ?? null)
    const state = said ?? registered
    if (state === null)
      context.addIssue({ code: 'custom', path: ['state'], message: 'is needed without a GSTIN' })
    else if (registered !== null && registered !== state)
      context.addIssue({
        code: 'custom',
        path: ['gstin'],
        message: `is of ${registered}, not of ${state}`,
      })
    return { name, state: state ?? '', gstin: gstin ?? null, address: address ?? null }
  })
export type BillingProfile = z.infer<typeof BillingProfile>

type Stored = { state?: string | null | undefined; gstin?: string | null | undefined }

/**
 * Where a buyer is, by a billing profile of any age: null where neither a GSTIN nor a state is understood. Earlier
 * versions took any text for both, and what they took counts as nothing said.
 */
export function placeOf({ state, gstin }: Stored): GstState | null {
  if (gstin && isGstin(gstin)) return stateOfGstin(gstin)
  return state ? stateOf(state) : null
}
