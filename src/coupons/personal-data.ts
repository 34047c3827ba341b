import type { Uses } from '../deps.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { PersonalData } from '../personal-data.ts'

type ExportedUse = { code: string; orderId: string; state: string; createdAt: Date }

async function readUses({ db }: Uses<'db'>, userId: string, most: number): Promise<ExportedUse[]> {
  const rows = await db.orm.coupon_uses.where({ userId }).orderBy(NEWEST_FIRST).limit(most).all()
  return rows.map(({ code, orderId, state, createdAt }) => ({ code, orderId, state, createdAt }))
}

/** Coupons name nobody, and their uses count against limits whoever has left. */
export const couponsData = {
  lists: { couponUses: readUses },
  keeps: {
    coupons: { what: 'nothing', after: 'stay', until: 'for ever' },
    coupon_uses: {
      what: 'which code was used for which order',
      after: 'stay under the id: they count against the limits of the coupon',
      until: 'for ever',
    },
  },
} satisfies PersonalData
