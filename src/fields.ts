import { z } from 'zod'
import { canonicalAddress, MOST_BYTES } from './email-address.ts'
import { DomainError } from './errors.ts'
import { isLink } from './links.ts'
import { faultOfLine, faultOfText, normalized } from './text.ts'

/** A MongoDB ObjectId as 24 lower-case hex characters. */
export const Id = z.string().regex(/^[0-9a-f]{24}$/, 'is not an id')

// Of an input; every string of every procedure is one of the kinds below, or has a pattern.
const text = (most: number) => z.string().max(most)

const refusedFor =
  (faultOf: (text: string) => string | null) =>
  ({ value, issues }: z.core.ParsePayload<string>): void => {
    const message = faultOf(value)
    if (message !== null) issues.push({ code: 'custom', input: value, message })
  }

/**
 * One line of plain text, of so many characters at least and at most once it is trimmed, with nothing hidden
 * in it.
 */
export const line = (least: number, most: number) =>
  text(most).trim().overwrite(normalized).max(most).min(least).check(refusedFor(faultOfLine))

/**
 * What somebody is called, in so many characters at most: it stands in greetings, so no mail program may make
 * a link of it.
 */
export const personName = (most: number) =>
  line(1, most).refine((name) => !isLink(name), 'must be a name, not a link')

/** Text of several lines, of so many characters at most. */
export const lines = (most: number) =>
  text(most).trim().overwrite(normalized).max(most).check(refusedFor(faultOfText))

/** What is only compared with what is stored, and so taken as it comes: a password, a token, a cursor. */
export const exactly = (least: number, most: number) =>
  text(most).min(least).check(refusedFor(faultOfText))

const MAX_PRICE_PAISE = 50_000_000

/** The most courses in one order. */
export const MAX_LINES = 20

/** What one course costs: integer paise, at most ₹5,00,000. */
export const Price = z.int().min(0).max(MAX_PRICE_PAISE)

/** What a whole order may come to, in integer paise: with a gateway's fee on top, within the database's 32 bits. */
export const OrderTotal = z
  .int()
  .min(0)
  .max(MAX_LINES * MAX_PRICE_PAISE)

/** An address in the one form by which its mailbox is known (email-address.ts). */
export const Email = text(MOST_BYTES)
  .overwrite((given) => canonicalAddress(given) ?? '')
  .pipe(z.email({ pattern: /^[^\s@]+@[^\s@]+$/, error: 'is not an e-mail address' }))

// Of each member of a union, for a schema that takes several fields under other names.
type EitherName<Input, Name extends string, Alias extends string> = Input extends unknown
  ? Input | (Name extends keyof Input ? Renamed<Input, Name, Alias> : never)
  : never

type Renamed<Input, Name extends keyof Input, Alias extends string> = {
  [Other in Alias]: Omit<Input, Name> & Record<Other, Input[Name]>
}[Alias]

/**
 * The schema, taking one field under other names as well, where clients expect any. Two values under two of
 * its names are refused with DUPLICATE_PARAMETER.
 */
export function orNamed<Output, Input, Name extends keyof Input & string, Alias extends string>(
  schema: z.ZodType<Output, Input>,
  name: Name,
  ...aliases: [Alias, ...Alias[]]
): z.ZodType<Output, EitherName<Input, Name, Alias>> {
  return z.preprocess(
    (given: EitherName<Input, Name, Alias>) => named(given, name, aliases),
    schema,
  )
}

function named(given: unknown, name: string, aliases: string[]): unknown {
  if (typeof given !== 'object' || given === null) return given
  const alias = aliases.find((one) => Object.hasOwn(given, one))
  if (alias === undefined) return given
  const { [alias]: value, ...rest } = given as Record<string, unknown>
  if (Object.hasOwn(rest, name) && rest[name] !== value)
    throw new DomainError('DUPLICATE_PARAMETER')
  return { ...rest, [name]: value }
}

/** Which page of a list: what comes after `cursor`, or the newest, and at most `limit` items. */
export const Page = z.object({
  cursor: exactly(0, 500).optional(),
  limit: z.int().min(1).max(100).default(20),
})
export type Page = z.infer<typeof Page>

/** For a list that is asked for with no input at all, too. */
export const AnyPage = Page.prefault({})

/** One page, and the cursor of the next one; null on the last. */
export type PageOf<Item> = { items: Item[]; nextCursor: string | null }
