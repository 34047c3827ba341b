import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSale, aSaleOfTwo, lineOf, type Sale } from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { reasonOf } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, ledgerOf } from '../support/order-checks.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
})
// Of each test's own, since clocks jump here and a refund wants the password proved lately.
beforeEach(async () => {
  admin = await anAdmin(lms)
})

const create = (input: Parameters<Person['api']['refunds']['create']['mutate']>[0]) =>
  admin.api.refunds.create.mutate(input)

const ONE_OF_FOUR = ['REFUND_TOO_LARGE', 'REFUND_TOO_LARGE', 'REFUND_TOO_LARGE', 'made']

/** Everybody asks at once, each under a key of their own; what each is told. */
function atOnce(everybody: Person[], asked: Parameters<typeof create>[0]): Promise<string[]> {
  const ask = async ({ api }: Person, at: number): Promise<string> => {
    const call = api.refunds.create.mutate({ ...asked, idempotencyKey: `at-the-same-time-${at}` })
    return call.then(() => 'made', reasonOf)
  }
  return Promise.all(everybody.map(ask))
}

/** How often Razorpay was asked for a refund of this sale. */
const askedFor = ({ paymentId }: Sale) =>
  lms.razorpay.requests().filter(({ path }) => path === `/payments/${paymentId}/refund`).length

describe('refunds at the same moment', () => {
  it('of two administrators never give back more than was paid', async () => {
    const other = await anAdmin(lms)
    for (let round = 0; round < 5; round += 1) {
      const sale = await aSale(lms, { pricePaise: 10_000 })
      const asked = { orderId: sale.order.id, amountPaise: 6_000 }
      expect((await atOnce([admin, other, admin, other], asked)).sort()).toEqual(ONE_OF_FOUR)
      expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(6_000)
      // Razorpay would have refused the others too: it was never asked.
      expect(askedFor(sale)).toBe(1)
    }
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('of two administrators give a line back once', async () => {
    const other = await anAdmin(lms)
    for (let round = 0; round < 5; round += 1) {
      const sale = await aSaleOfTwo(lms)
      const asked = { orderId: sale.order.id, lines: [lineOf(sale, 20_000).no] }
      expect((await atOnce([admin, other, admin, other], asked)).sort()).toEqual(ONE_OF_FOUR)
      expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(20_000)
    }
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('under one key are one refund', async () => {
    const sale = await aSale(lms, { pricePaise: 10_000 })
    const refunds = await Promise.all(
      Array.from({ length: 6 }, () =>
        create({ orderId: sale.order.id, amountPaise: 2_000, idempotencyKey: 'one-intent' }),
      ),
    )
    expect(new Set(refunds.map(({ id }) => id)).size).toBe(1)
    await deliverWebhooks(lms)
    expect(ledgerOf(lms, sale.paymentId)?.refunds).toHaveLength(1)
    await expectSound(lms)
  })

  it('under one key and for three amounts at once is one refund', async () => {
    const sale = await aSale(lms, { pricePaise: 10_000 })
    const outcomes = await Promise.allSettled(
      [1_000, 2_000, 3_000].map((amountPaise) =>
        create({ orderId: sale.order.id, amountPaise, key: 'one-of-three' }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(ledgerOf(lms, sale.paymentId)?.refunds).toHaveLength(1)
    await deliverWebhooks(lms)
  })
})
