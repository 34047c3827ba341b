import { anAdmin, aStudent, type Person } from '../../support/builders/people.ts'
import { aPublishedCourse } from '../../support/builders/courses.ts'
import type { Lms } from '../../support/harness.ts'

/** Who and what all runs share. */
export type Cast = { admin: Person; buyers: Person[]; courses: string[]; coupons: string[] }

const PRICES = [49_900, 100, 12_345, 99_999, 7_700, 250_000]

const COUPONS = [
  { code: 'THIRD', kind: 'PERCENT', value: 33, maxTotal: null, maxPerUser: null },
  { code: 'FIXED', kind: 'FIXED', value: 5_001, maxTotal: 3, maxPerUser: 1 },
  { code: 'FREE', kind: 'PERCENT', value: 100, maxTotal: 2, maxPerUser: 1 },
  { code: 'LAST', kind: 'PERCENT', value: 50, maxTotal: 1, maxPerUser: null },
] as const

export async function castOf(lms: Lms): Promise<Cast> {
  const admin = await anAdmin(lms)
  const buyers: Person[] = []
  for (const name of ['Asha', 'Bilal', 'Chitra', 'Devi']) buyers.push(await aStudent(lms, name))
  const courses: string[] = []
  for (const pricePaise of PRICES) {
    courses.push((await aPublishedCourse(lms, { pricePaise })).course.id)
  }
  for (const coupon of COUPONS) await admin.api.coupons.create.mutate(coupon)
  return { admin, buyers, courses, coupons: COUPONS.map(({ code }) => code) }
}

const OF_A_RUN = [
  'orders',
  'payments',
  'refunds',
  'disputes',
  'webhook_events',
  'unreadable_entities',
  'coupon_uses',
  'invoices',
  'credit_notes',
  'facts',
  'leases',
  'outbox_mails',
  'enrollments',
]

/** A database in which nothing was ever bought, and a shop as it was opened. */
export async function wipe({ db }: Lms, { courses, coupons }: Cast): Promise<void> {
  for (const name of OF_A_RUN) await db.driver.collection(name).deleteMany({})
  for (const [at, _id] of courses.entries())
    await db.orm.courses.where({ _id }).update({ status: 'PUBLISHED', pricePaise: PRICES[at] ?? 0 })
  for (const code of coupons) await db.orm.coupons.where({ code }).update({ active: true })
}

/** Clocks jump by days here: everybody has just signed in, whatever the time. */
export async function keepSignedIn({ db, clock }: Lms): Promise<void> {
  const at = clock.now()
  const later = new Date(at.getTime() + 10 * 24 * 60 * 60_000)
  await db.driver.collection('sessions').updateMany(
    {},
    {
      $set: {
        createdAt: at,
        lastUsedAt: at,
        passwordAt: at,
        expiresAt: later,
        absoluteExpiresAt: later,
      },
    },
  )
}
