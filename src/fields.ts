import { z } from 'zod'
import { DomainError } from './errors.ts'

/** A MongoDB ObjectId as 24 lower-case hex characters. */
export const Id = z.string().regex(/^[0-9a-f]{24}$/, 'is not an id')

// What is not seen lets a name pose as another one. Of the format characters two are spelling, in Indian
// scripts too: the joiner and the non-joiner. Some letters and signs by their class are blank by their looks.
const HIDDEN =
  /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/u
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

/**
 * One line of plain text, of so many characters at least and at most once it is trimmed, with nothing hidden
 * in it.
 */
export const line = (least: number, most: number) =>
  z
    .string()
    .max(most)
    .trim()
    .min(least)
    .refine((text) => !HIDDEN.test(text), 'has characters that are not allowed')
    .refine((text) => text === '' || VISIBLE.test(text), 'has nothing that can be seen')

// Mail programs make links of these by themselves. With a full stop alone go initials, as in `Md.Rafi` and
// `A.P.J. Kalam`.
const LINK =
  /:\/\/|\bwww\.|@|\.\p{L}{2,}\/|[\p{L}\p{N}]\.(app|biz|click|club|cn|co|com|dev|in|info|io|link|live|me|net|online|org|ru|shop|site|store|top|vip|xyz)(?![\p{L}\p{N}])/iu

/**
 * What somebody is called, in so many characters at most: it stands in greetings, so no mail program may make
 * a link of it.
 */
export const personName = (most: number) =>
  line(1, most).refine(
    (text) => !LINK.test(text.normalize('NFKC').replaceAll('\u3002', '.')),
    'must be a name, not a link',
  )

// Here line breaks and tabs are text; the rest disguises as much in many lines as in one.
const DISGUISES = /[^\P{Cc}\n\r\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** Text of several lines, of so many characters at most. */
export const lines = (most: number) =>
  z
    .string()
    .max(most)
    .trim()
    .refine((text) => !DISGUISES.test(text), 'has characters that are not allowed')

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

/** An address in lower case, so that one mailbox is one account. */
export const Email = z.string().max(254).trim().toLowerCase().pipe(z.email())

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
  cursor: z.string().max(500).optional(),
  limit: z.int().min(1).max(100).default(20),
})
export type Page = z.infer<typeof Page>

/** For a list that is asked for with no input at all, too. */
export const AnyPage = Page.prefault({})

/** One page, and the cursor of the next one; null on the last. */
export type PageOf<Item> = { items: Item[]; nextCursor: string | null }
