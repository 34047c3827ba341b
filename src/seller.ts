// Who sells, as it stands on invoices.
import { z } from 'zod'
import { stateOf } from './gst-states.ts'
import { hasGstinShape, isGstin, stateOfGstin } from './gstin.ts'
import { GST_PERCENTS } from './money.ts'

const isRate = (percent: number) => GST_PERCENTS.some((one) => one === percent)

/** What the environment says of the seller. */
export const SELLER = {
  SELLER_NAME: z.string().max(120).default('Gurukul'),
  SELLER_ADDRESS: z.string().max(300).optional(),
  SELLER_STATE: z
    .string()
    .refine((text) => stateOf(text) !== null, 'is no state or union territory of India')
    .optional(),
  SELLER_GSTIN: z.string().refine(hasGstinShape, 'must be a GSTIN of 15 characters').optional(),
  SELLER_SAC: z
    .string()
    .regex(/^99\d{2,4}$/, 'must be a services accounting code, such as 999293')
    .default('999293'),
  GST_PERCENT: z.coerce
    .number()
    .refine(isRate, `must be one of ${GST_PERCENTS.join(', ')}`)
    .default(18),
}
type Environment = z.infer<z.ZodObject<typeof SELLER>>

/** What of it does not go together. A number made up will do for development; it would make real invoices void. */
export function sellerFaults({
  NODE_ENV,
  SELLER_GSTIN: gstin,
  SELLER_STATE: said,
}: Environment & { NODE_ENV: string }): string[] {
  if (gstin === undefined) return []
  const isOther = said !== undefined && stateOf(said)?.code !== stateOfGstin(gstin)?.code
  const isMadeUp = NODE_ENV === 'production' && !isGstin(gstin)
  return [
    ...(isOther ? ['SELLER_STATE is not the state that SELLER_GSTIN begins with'] : []),
    ...(isMadeUp ? ['SELLER_GSTIN has a last character that does not fit the others'] : []),
  ]
}

/** `state` by its printed name; the GSTIN tells it, where there is one. */
export function sellerOf(env: Environment) {
  return {
    name: env.SELLER_NAME,
    address: env.SELLER_ADDRESS,
    state: stateOf(env.SELLER_STATE ?? env.SELLER_GSTIN?.slice(0, 2) ?? '')?.name,
    gstin: env.SELLER_GSTIN,
    sac: env.SELLER_SAC,
    gstPercent: env.GST_PERCENT,
  }
}
