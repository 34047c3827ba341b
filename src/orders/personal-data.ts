import type { Uses } from '../deps.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { PersonalData } from '../personal-data.ts'

type ExportedOrder = {
  id: string
  status: string
  currency: string
  amountPaise: number
  discountPaise: number
  couponCode: string | null
  gateway: string
  paymentId: string | null
  lines: { courseId: string; title: string; amountPaise: number }[]
  createdAt: Date
  paidAt: Date | null
}

async function readOrders(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedOrder[]> {
  const rows = await db.orm.orders.where({ userId }).orderBy(NEWEST_FIRST).limit(most).all()
  return rows.map((row) => ({
    id: row._id,
    status: row.status,
    currency: row.currency,
    amountPaise: row.amountPaise,
    discountPaise: row.discountPaise,
    couponCode: row.couponCode ?? null,
    gateway: row.gateway,
    paymentId: row.paymentId ?? null,
    lines: row.lines.map(({ courseId, title, amountPaise }) => ({ courseId, title, amountPaise })),
    createdAt: row.createdAt,
    paidAt: row.paidAt ?? null,
  }))
}

/** Orders stay when their buyer leaves: tax law wants them, and they name the buyer by id alone. */
export const ordersData = {
  lists: { orders: readOrders },
  keeps: {
    orders: {
      what: 'what was bought, by the id of the buyer',
      after: 'stay: tax law wants them',
      until: 'as long as the books are kept',
    },
  },
} satisfies PersonalData
