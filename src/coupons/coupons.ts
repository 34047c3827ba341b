import { randomInt } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { requireRecentPassword } from '../auth/step-up.ts'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { exactly, Id, OrderTotal, Page, type PageOf } from '../fields.ts'
import { after, NEWEST_FIRST, splitPage } from '../paging.ts'
import { CouponCode } from './code.ts'
import type { CouponDocument } from './discounts.ts'

const Terms = z.object({
  kind: z.enum(['PERCENT', 'FIXED']),
  /** Per cent, or paise off a whole order. */
  value: OrderTotal.min(1),
  courseIds: z.array(Id).max(200).default([]),
  startsAt: z.date().nullable().default(null),
  endsAt: z.date().nullable().default(null),
  minPaise: OrderTotal.default(0),
  maxTotal: z.int().min(1).max(100_000).nullable().default(null),
  maxPerUser: z.int().min(1).max(1_000).nullable().default(1),
  active: z.boolean().default(true),
})

const isSane = (terms: { kind: string; value: number }) =>
  terms.kind !== 'PERCENT' || terms.value <= 100
const ABOVE_WHOLE = { error: 'is above 100 per cent', path: ['value'] }

export const NewCoupon = Terms.extend({ code: CouponCode }).strict().refine(isSane, ABOVE_WHOLE)
export type NewCoupon = z.infer<typeof NewCoupon>

/** Many codes that can each be used once, by anyone. */
export const NewCouponBatch = Terms.omit({ maxTotal: true, maxPerUser: true })
  .extend({
    prefix: CouponCode.max(12),
    count: z.int().min(1).max(500),
  })
  .refine(isSane, ABOVE_WHOLE)
export type NewCouponBatch = z.infer<typeof NewCouponBatch>

/** What may change of a coupon that people hold already; limits already passed refuse only what comes next. */
export const CouponChanges = z.strictObject({
  code: CouponCode,
  endsAt: z.date().nullable().exactOptional(),
  maxTotal: z.int().min(1).max(100_000).nullable().exactOptional(),
  maxPerUser: z.int().min(1).max(1_000).nullable().exactOptional(),
  active: z.boolean().exactOptional(),
})
export type CouponChanges = z.infer<typeof CouponChanges>

export const CouponsPage = Page.extend({ batch: exactly(0, 60).optional() }).prefault({})
export type CouponsPage = z.infer<typeof CouponsPage>

/** `used` counts what is paid, `held` what open orders may still use. */
export type Coupon = {
  id: string
  code: string
  kind: 'PERCENT' | 'FIXED'
  value: number
  courseIds: string[]
  startsAt: Date | null
  endsAt: Date | null
  minPaise: number
  maxTotal: number | null
  maxPerUser: number | null
  active: boolean
  batch: string | null
  used: number
  held: number
  createdAt: Date
}

type Needs = Uses<'db' | 'now'>

/** Makes one coupon. Throws PASSWORD_NEEDED, COUPON_TAKEN. */
export async function createCoupon(deps: Needs, actor: Actor, input: NewCoupon): Promise<Coupon> {
  requireRecentPassword(deps, actor)
  const at = deps.now()
  try {
    const stored = { ...input, batch: null, createdAt: at, updatedAt: at }
    const coupon = await deps.db.orm.coupons.create(stored)
    const { kind, value } = input
    const target = `coupon:${input.code}`
    await audit(deps, { actor, act: 'coupons.created', target, after: { kind, value } })
    return publicCoupon(coupon)
  } catch (error) {
    if (isDuplicateKey(error)) throw new DomainError('COUPON_TAKEN')
    throw error
  }
}

/**
 * Makes up to 500 codes that can each be used once, by anyone, and answers them this once. Throws PASSWORD_NEEDED.
 */
export async function createCouponBatch(
  deps: Needs,
  actor: Actor,
  { prefix, count, ...terms }: NewCouponBatch,
): Promise<{ batch: string; codes: string[] }> {
  requireRecentPassword(deps, actor)
  const at = deps.now()
  const batch = `${prefix}-${at.getTime().toString(36).toUpperCase()}`
  const codes = Array.from({ length: count }, () => `${prefix}-${randomCode()}`)
  await deps.db.orm.coupons.createAll(
    codes.map((code) => ({
      ...terms,
      code,
      batch,
      maxTotal: 1,
      maxPerUser: 1,
      createdAt: at,
      updatedAt: at,
    })),
  )
  await audit(deps, { actor, act: 'coupons.created', target: `batch:${batch}`, after: { count } })
  return { batch, codes }
}

// Without the letters and digits that are taken for each other.
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** Sixty bits: too many to guess. */
function randomCode(): string {
  return Array.from({ length: 12 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}

/** Changes what may change of a coupon that people hold already. Throws PASSWORD_NEEDED, NOT_FOUND. */
export async function updateCoupon(
  deps: Needs,
  actor: Actor,
  { code, ...changes }: CouponChanges,
): Promise<Coupon> {
  requireRecentPassword(deps, actor)
  const updatedAt = deps.now()
  const coupon = await deps.db.orm.coupons.where({ code }).update({ ...changes, updatedAt })
  if (!coupon) throw new DomainError('NOT_FOUND')
  const { endsAt, ...after } = changes
  await audit(deps, {
    actor,
    act: 'coupons.changed',
    target: `coupon:${code}`,
    after: { ...after, ...(endsAt !== undefined && { endsAt: endsAt?.toISOString() ?? null }) },
  })
  const uses = await usesOf(deps, [code])
  return publicCoupon(coupon, uses.get(code))
}

/** Coupons, newest first, with how often each is used and held. */
export async function listCoupons(
  { db }: Uses<'db'>,
  { batch, cursor, limit }: CouponsPage,
): Promise<PageOf<Coupon>> {
  let list = db.orm.coupons.where(MongoFieldFilter.gte('value', 0))
  if (batch !== undefined) list = list.where({ batch })
  if (cursor !== undefined) list = list.where(after(cursor))
  const rows = await list
    .orderBy(NEWEST_FIRST)
    .limit(limit + 1)
    .all()
  const { items, nextCursor } = splitPage(rows, limit)
  const uses = await usesOf(
    { db },
    items.map(({ code }) => code),
  )
  return { items: items.map((coupon) => publicCoupon(coupon, uses.get(coupon.code))), nextCursor }
}

type UseCount = { used: number; held: number }

async function usesOf({ db }: Uses<'db'>, codes: string[]): Promise<Map<string, UseCount>> {
  const counts = new Map<string, UseCount>()
  if (codes.length === 0) return counts
  const rows = await db.driver
    .collection('coupon_uses')
    .aggregate<{ _id: { code: string; state: string }; n: number }>([
      { $match: { code: { $in: codes } } },
      { $group: { _id: { code: '$code', state: '$state' }, n: { $sum: 1 } } },
    ])
    .toArray()
  for (const { _id, n } of rows) {
    const count = counts.get(_id.code) ?? { used: 0, held: 0 }
    if (_id.state === 'USED') count.used = n
    if (_id.state === 'HELD') count.held = n
    counts.set(_id.code, count)
  }
  return counts
}

function publicCoupon(coupon: CouponDocument, uses: UseCount = { used: 0, held: 0 }): Coupon {
  return {
    id: coupon._id,
    code: coupon.code,
    kind: coupon.kind,
    value: coupon.value,
    courseIds: [...coupon.courseIds],
    startsAt: coupon.startsAt ?? null,
    endsAt: coupon.endsAt ?? null,
    minPaise: coupon.minPaise,
    maxTotal: coupon.maxTotal ?? null,
    maxPerUser: coupon.maxPerUser ?? null,
    active: coupon.active,
    batch: coupon.batch ?? null,
    ...uses,
    createdAt: coupon.createdAt,
  }
}
