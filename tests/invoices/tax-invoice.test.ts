import { beforeAll, describe, expect, it } from 'vitest'
import { startOfMonth } from '../../src/invoices/numbers.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { anOrder, aSale, payWithoutWebhooks } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound } from '../support/order-checks.ts'

const SELLER = {
  SELLER_NAME: 'Gurukul Learning',
  SELLER_ADDRESS: '4, Lake View Road, Bengaluru 560001',
  SELLER_GSTIN: '29ABCDE1234F1ZW',
}
const BUSINESS = { name: 'Asha Traders', gstin: '32ABCDE1234F1Z9', address: '7 Lake Road, Kochi' }

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: SELLER })
  lms.razorpay.webhooks.drop = 'all'
})

const pageOf = async (buyer: Person, orderId: string) =>
  (await buyer.fetch(`/receipts/${orderId}`)).text()

async function aCourse(pricePaise: number, gstPercent?: 0 | 5 | 12 | 18 | 28) {
  const { course, owner } = await aPublishedCourse(lms, { pricePaise })
  if (gstPercent !== undefined) await owner.api.courses.update.mutate({ id: course.id, gstPercent })
  return { id: course.id, owner }
}

describe('a tax invoice', () => {
  it('says what the law asks for', async () => {
    const buyer = await aStudent(lms)
    await buyer.api.account.update.mutate({ billing: BUSINESS })
    const { order } = await aSale(lms, { buyer, pricePaise: 11_800 })
    const page = await pageOf(buyer, order.id)
    for (const text of [
      '<h1>Tax invoice</h1>',
      'Gurukul Learning',
      '4, Lake View Road, Bengaluru 560001',
      'GSTIN 29ABCDE1234F1ZW',
      'Asha Traders',
      '7 Lake Road, Kochi',
      'GSTIN 32ABCDE1234F1Z9',
      '999293',
      'Place of supply: Kerala (32)',
      'reverse charge: no',
      'IGST 18 %',
      '₹100.00',
      '₹18.00',
      'Computer generated',
    ])
      expect(page).toContain(text)
    expect(page).toMatch(/INV\/\d\d-\d\d\/\d{6}/)
    expect(await buyer.api.invoices.get.query({ orderId: order.id })).toMatchObject({
      title: 'Tax invoice',
      seller: { address: SELLER.SELLER_ADDRESS, state: 'Karnataka' },
      buyer: { state: 'Kerala', gstin: BUSINESS.gstin },
      placeOfSupply: { code: '32', name: 'Kerala' },
      lines: [{ sac: '999293', gstPercent: 18, taxablePaise: 10_000 }],
      taxablePaise: 10_000,
      taxes: [{ name: 'IGST', percent: 18, amountPaise: 1_800 }],
      totalPaise: 11_800,
    })
  })

  it('has the rate of each course, as it was when the order was made', async () => {
    const [book, usual] = [await aCourse(10_500, 5), await aCourse(11_800)]
    const opened = await anOrder(lms, { courseIds: [book.id, usual.id] })
    await book.owner.api.courses.update.mutate({ id: book.id, gstPercent: 28 })
    const { buyer, order } = opened
    await buyer.api.orders.verify.mutate(payWithoutWebhooks(lms, opened))
    const invoice = await buyer.api.invoices.get.query({ orderId: order.id })
    expect(invoice.lines.map(({ gstPercent }) => gstPercent).sort()).toEqual([18, 5])
    expect(invoice.taxablePaise).toBe(20_000)
    expect(invoice.taxes).toEqual([
      { name: 'CGST', percent: 9, amountPaise: 900 },
      { name: 'SGST', percent: 9, amountPaise: 900 },
      { name: 'CGST', percent: 2.5, amountPaise: 250 },
      { name: 'SGST', percent: 2.5, amountPaise: 250 },
    ])
    expect(await pageOf(buyer, order.id)).toContain('CGST 2.5 %')
  })

  it('taxes what was paid after the discount, to the paisa', async () => {
    const { api } = await anAdmin(lms)
    await api.coupons.create.mutate({ code: 'TAXED33', kind: 'PERCENT', value: 33 })
    const courses = [await aCourse(9_999, 5), await aCourse(14_999), await aCourse(4_999, 0)]
    const courseIds = courses.map(({ id }) => id)
    const { buyer, order } = await aSale(lms, { courseIds, couponCode: 'TAXED33' })
    const invoice = await buyer.api.invoices.get.query({ orderId: order.id })
    const sum = (amounts: (number | null)[]) =>
      amounts.reduce<number>((all, one) => all + (one ?? 0), 0)
    expect(invoice.totalPaise).toBe(order.amountPaise)
    expect(sum(invoice.lines.map((line) => line.amountPaise))).toBe(order.amountPaise)
    expect(sum([invoice.taxablePaise, ...invoice.taxes.map((tax) => tax.amountPaise)])).toBe(
      order.amountPaise,
    )
    await expectSound(lms)
  })

  it('refuses a rate that the law does not know', async () => {
    const { owner, id } = await aCourse(10_000)
    const wrong = { id, gstPercent: 17 } as never
    await refused(owner.api.courses.update.mutate(wrong), 'INVALID_INPUT')
    await owner.api.courses.update.mutate({ id, gstPercent: 12 })
    const back = await owner.api.courses.update.mutate({ id, gstPercent: null })
    expect(back.gstPercent).toBeNull()
  })

  it('to somebody abroad says that it is an export', async () => {
    const buyer = await aStudent(lms)
    await buyer.api.account.update.mutate({ billing: { name: 'Asha', state: 'outside india' } })
    const { order } = await aSale(lms, { buyer })
    const page = await pageOf(buyer, order.id)
    expect(page).toContain('Supply meant for export on payment of integrated tax')
    expect(page).toContain('IGST 18 %')
  })

  it('is a receipt while the seller’s address or GSTIN is not configured', async () => {
    for (const missing of ['SELLER_ADDRESS', 'SELLER_GSTIN']) {
      const other = await startLms({ env: { ...SELLER, [missing]: '' } })
      const { buyer, order } = await aSale(other, { pricePaise: 11_800 })
      const page = await pageOf(buyer, order.id)
      expect(page).toContain('<h1>Receipt</h1>')
      expect(page.includes('CGST')).toBe(missing === 'SELLER_ADDRESS')
      await other.close()
    }
  })

  it('keeps what it said when its buyer and its course take other names', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    const { buyer, order } = await aSale(lms, { courseIds: [course.id] })
    const before = await pageOf(buyer, order.id)
    await buyer.api.account.update.mutate({ name: 'Another Name' })
    await owner.api.courses.update.mutate({ id: course.id, title: 'Another Title' })
    expect(await pageOf(buyer, order.id)).toBe(before)
  })

  it('is listed to its buyer, and all are to administrators, by year', async () => {
    const buyer = await aStudent(lms)
    const orders = [await aSale(lms, { buyer }), await aSale(lms, { buyer })]
    const first = await buyer.api.invoices.mine.query({ limit: 1 })
    const second = await buyer.api.invoices.mine.query({ limit: 1, cursor: first.nextCursor ?? '' })
    const ids = [...first.items, ...second.items].map(({ orderId }) => orderId)
    expect(ids.sort()).toEqual(orders.map(({ order }) => order.id).sort())
    const { api } = await anAdmin(lms)
    const { series = '' } =
      (await lms.db.orm.invoices.where({ orderId: ids[0] ?? '' }).first()) ?? {}
    const all = await api.invoices.list.query({ series, limit: 100 })
    expect(all.items.map(({ orderId }) => orderId)).toEqual(expect.arrayContaining(ids))
    expect((await api.invoices.list.query({ series: '01-02' })).items).toEqual([])
    const stranger = await aStudent(lms)
    const foreign = { orderId: ids[0] ?? '' }
    await refused(stranger.api.invoices.get.query(foreign), 'NOT_FOUND')
    expect((await api.invoices.get.query(foreign)).number).toMatch(/^INV/)
  })
})

describe('the day of an invoice', () => {
  it('is the day of the payment, in India, and its financial year is that of the day', async () => {
    const opened = await anOrder(lms)
    const paid = payWithoutWebhooks(lms, opened)
    await opened.buyer.api.orders.verify.mutate(paid)
    const paidAt = new Date('2027-03-31T18:45:00Z')
    const orderId = opened.order.id
    await lms.db.orm.orders
      .where({ _id: orderId })
      .update({ paidAt, expiresAt: paidAt, status: 'PAID', fulfilledAt: null, timeline: [] })
    await lms.db.orm.payments.where({ orderId }).update({ madeAt: paidAt, takenAt: paidAt })
    await lms.db.orm.invoices.where({ orderId }).delete()
    await (await anAdmin(lms)).api.orders.redrive.mutate({ orderId })
    const invoice = await opened.buyer.api.invoices.get.query({ orderId })
    expect(invoice).toMatchObject({ number: 'INV/27-28/000001', issuedAt: paidAt })
    expect(await pageOf(opened.buyer, orderId)).toContain('1 April 2027')
  })
})

describe('billing details given after paying', () => {
  it('in the profile are put on the invoices of the month that have none', async () => {
    const buyer = await aStudent(lms)
    const { order } = await aSale(lms, { buyer, pricePaise: 11_800 })
    const before = await buyer.api.invoices.get.query({ orderId: order.id })
    expect(before).toMatchObject({ buyer: { gstin: null }, placeOfSupply: { code: '29' } })
    await buyer.api.account.update.mutate({ billing: BUSINESS })
    const after = await buyer.api.invoices.get.query({ orderId: order.id })
    expect(after).toMatchObject({
      number: before.number,
      issuedAt: before.issuedAt,
      buyer: { name: 'Asha Traders', gstin: BUSINESS.gstin, state: 'Kerala' },
      placeOfSupply: { code: '32' },
      taxes: [{ name: 'IGST', percent: 18, amountPaise: 1_800 }],
      totalPaise: 11_800,
    })
    const stored = await lms.db.orm.invoices.where({ orderId: order.id }).first()
    expect(stored?.issuedBody).toMatchObject({ buyer: { gstin: null } })
    // Once: what is on it now stays.
    await buyer.api.account.update.mutate({ billing: { name: 'Somebody Else', state: 'Goa' } })
    expect(await buyer.api.invoices.get.query({ orderId: order.id })).toEqual(after)
    await expectSound(lms)
  })

  it('for one order are put on that invoice alone, and on the audit log', async () => {
    const buyer = await aStudent(lms)
    const [one, other] = [await aSale(lms, { buyer }), await aSale(lms, { buyer })]
    const orderId = one.order.id
    const billed = await buyer.api.invoices.setBilling.mutate({ orderId, billing: BUSINESS })
    expect(billed.buyer).toMatchObject({ name: 'Asha Traders', gstin: BUSINESS.gstin })
    const untouched = await buyer.api.invoices.get.query({ orderId: other.order.id })
    expect(untouched.buyer.gstin).toBeNull()
    expect((await buyer.api.account.get.query()).billing).toBeNull()
    const audit = await lms.db.orm.audit_entries.where({ target: `order:${orderId}` }).all()
    expect(audit.map(({ act }) => act)).toContain('invoices.billed')
    expect(JSON.stringify(audit)).not.toContain(BUSINESS.gstin)
  })

  it('are refused a second time, to others, after the month and after a credit note', async () => {
    const buyer = await aStudent(lms)
    const sales = [
      await aSale(lms, { buyer }),
      await aSale(lms, { buyer }),
      await aSale(lms, { buyer }),
    ]
    const [first, second, third] = sales.map(({ order }) => order.id)
    const set = (who: Person, orderId = '') =>
      who.api.invoices.setBilling.mutate({ orderId, billing: BUSINESS })
    await refused(set(await aStudent(lms), first), 'NOT_FOUND')
    await refused(set(await anAdmin(lms), first), 'NOT_FOUND')
    await set(buyer, first)
    await refused(set(buyer, first), 'INVOICE_CLOSED')
    await (
      await anAdmin(lms)
    ).api.refunds.create.mutate({ orderId: second ?? '', amountPaise: 500 })
    await refused(set(buyer, second), 'INVOICE_CLOSED')
    const lastMonth = new Date(startOfMonth(lms.clock.now()).getTime() - 1)
    await lms.db.orm.invoices.where({ orderId: third ?? '' }).update({ issuedAt: lastMonth })
    await refused(set(buyer, third), 'INVOICE_CLOSED')
    await buyer.api.account.update.mutate({ billing: BUSINESS })
    const invoice = await buyer.api.invoices.get.query({ orderId: third ?? '' })
    expect(invoice.buyer.gstin).toBeNull()
  })

  it('have one winner when two come at once', async () => {
    const { buyer, order } = await aSale(lms)
    const set = (name: string) =>
      buyer.api.invoices.setBilling.mutate({ orderId: order.id, billing: { name, state: 'Goa' } })
    const names = ['One', 'Two', 'Three', 'Four']
    const outcomes = await Promise.allSettled(names.map(set))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = names[outcomes.findIndex(({ status }) => status === 'fulfilled')]
    const invoice = await buyer.api.invoices.get.query({ orderId: order.id })
    expect(invoice.buyer.name).toBe(winner)
  })

  it('never change the tax that a credit note at the same moment takes back', async () => {
    const { api } = await anAdmin(lms)
    for (let round = 0; round < 8; round += 1) {
      const { buyer, order } = await aSale(lms, { pricePaise: 11_800 })
      const orderId = order.id
      await Promise.allSettled([
        api.refunds.create.mutate({ orderId }),
        buyer.api.invoices.setBilling.mutate({ orderId, billing: BUSINESS }),
      ])
      const invoice = await buyer.api.invoices.get.query({ orderId })
      const { items } = await buyer.api.invoices.creditNotes.query({ orderId })
      expect(items.map(({ taxes, placeOfSupply }) => ({ taxes, placeOfSupply }))).toEqual([
        { taxes: invoice.taxes, placeOfSupply: invoice.placeOfSupply },
      ])
    }
  })
})
