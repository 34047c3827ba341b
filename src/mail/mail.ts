import { z } from 'zod'

// Said only when the mail is sent: a squatter who registered the address chose the name, and would be speaking
// through us.
const greeted = { name: z.string().exactOptional() }
const token = z.string()
const paise = z.number().int()
const at = z.iso.datetime()
const line = z.object({ title: z.string(), amountPaise: paise })

export const FACTOR_CHANGES = {
  on: 'It was turned on, and is asked for at every sign-in.',
  off: 'It was taken away in your account.',
  'codes-renewed': 'It has new recovery codes; the old ones open nothing any more.',
  'taken-by-administrator': 'An administrator took it away, and all devices were signed out.',
  'taken-by-new-password':
    'It was made before anybody had shown that this address is theirs, so it went with the old password. If it was yours, set it up again.',
} as const

/** What became of a second factor. */
export type FactorChange = keyof typeof FACTOR_CHANGES

/** Everything the product can write, as it lies in the outbox: plain JSON, times as ISO texts. */
export const Mail = z.discriminatedUnion('template', [
  z.object({ template: z.literal('verify-email'), data: z.object({ token }) }),
  z.object({ template: z.literal('reset-password'), data: z.object({ ...greeted, token }) }),
  z.object({ template: z.literal('password-changed'), data: z.object({ ...greeted, at }) }),
  z.object({
    template: z.literal('new-sign-in'),
    data: z.object({ ...greeted, at, device: z.string(), address: z.string() }),
  }),
  z.object({
    template: z.literal('second-factor-changed'),
    data: z.object({ at, change: z.enum(Object.keys(FACTOR_CHANGES) as FactorChange[]) }),
  }),
  z.object({
    template: z.literal('receipt'),
    data: z.object({
      ...greeted,
      orderId: z.string(),
      lines: z.array(line),
      discountPaise: paise.exactOptional(),
      totalPaise: paise,
      paidAt: at,
    }),
  }),
  z.object({
    template: z.literal('enrolled'),
    data: z.object({
      ...greeted,
      courseTitle: z.string(),
      courseSlug: z.string(),
      isFree: z.boolean().exactOptional(),
    }),
  }),
  z.object({
    template: z.literal('refund'),
    data: z.object({ ...greeted, orderId: z.string(), amountPaise: paise }),
  }),
  z.object({ template: z.literal('confirm-new-address'), data: z.object({ token }) }),
  z.object({
    template: z.literal('confirm-old-address'),
    data: z.object({ ...greeted, token }),
  }),
  z.object({ template: z.literal('email-change-asked'), data: z.object({ ...greeted, at }) }),
  z.object({ template: z.literal('email-changed'), data: z.object({ ...greeted, token }) }),
  z.object({
    template: z.literal('late-payment'),
    data: z.object({
      orderId: z.string(),
      amountPaise: paise,
      fault: z.string(),
      isTaken: z.boolean(),
    }),
  }),
  z.object({
    template: z.literal('order-review'),
    data: z.object({ orderId: z.string(), reason: z.string() }),
  }),
])
export type Mail = z.infer<typeof Mail>
