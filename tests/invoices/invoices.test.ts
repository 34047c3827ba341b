import { beforeAll, describe, expect, it } from 'vitest'
import { financialYear, numberOf, startOfMonth } from '../../src/invoices/numbers.ts'
import { settlePayment } from '../../src/payments/settlement/settle-payment.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({
    env: {
      SELLER_NAME: 'Gurukul & Sons',
      SELLER_STATE: 'Karnataka',
      SELLER_GSTIN: '29ABCDE1234F1ZW',
    },
  })
  lms.razorpay.webhooks.drop = 'all'
})

describe('a paid order', () => {
  it('has a page to print, for its buyer', async () => {
    const { buyer, order, paymentId } = await aSale(lms, { pricePaise: 11_800 })
    const answer = await buyer.fetch(`/receipts/${order.id}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await answer.text()
    expect(page).toContain('Gurukul &amp; Sons')
    expect(page).toContain('GSTIN 29ABCDE1234F1ZW')
    expect(page).toContain(paymentId)
    for (const amount of ['₹118.00', '₹100.00', '₹9.00']) expect(page).toContain(amount)
  })

  it('shows nobody else its page', async () => {
    const { order } = await aSale(lms)
    expect((await lms.visitor().fetch(`/receipts/${order.id}`)).status).toBe(401)
    expect((await (await aStudent(lms)).fetch(`/receipts/${order.id}`)).status).toBe(404)
    expect((await (await anAdmin(lms)).fetch(`/receipts/${order.id}`)).status).toBe(200)
    expect((await (await aStudent(lms)).fetch('/receipts/nonsense')).status).toBe(404)
  })

  it('escapes whatever people typed', async () => {
    const { course } = await aPublishedCourse(lms, { title: `<img src=x onerror=alert('1')>` })
    const buyer = await aStudent(lms, '"><script>alert(1)</script>')
    const { order } = await aSale(lms, { buyer, courseIds: [course.id] })
    const answer = await buyer.fetch(`/receipts/${order.id}`)
    const page = await answer.text()
    expect(page).not.toMatch(/<script|<img/)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('across states bears the whole tax as one', async () => {
    const buyer = await aStudent(lms)
    const billing = { name: 'Asha Traders', state: 'Kerala', gstin: null, address: 'Kochi' }
    await lms.db.orm.users.where({ _id: buyer.user.id }).update({ billing })
    const { order } = await aSale(lms, { buyer, pricePaise: 11_800 })
    const page = await (await buyer.fetch(`/receipts/${order.id}`)).text()
    expect(page).toContain('IGST 18 %')
    expect(page).toContain('Asha Traders')
    expect(page).not.toContain('CGST')
  })

  it('shows what was given back', async () => {
    const { buyer, order } = await aSale(lms, { pricePaise: 20_000 })
    const { api } = await anAdmin(lms)
    await api.refunds.create.mutate({ orderId: order.id, amountPaise: 5_000 })
    const page = await (await buyer.fetch(`/receipts/${order.id}`)).text()
    expect(page).toContain('-₹50.00')
  })

  it('of nothing has none', async () => {
    const { buyer, order } = await anOrder(lms, { courseIds: [await aCourseId(lms, 0)] })
    expect((await buyer.fetch(`/receipts/${order.id}`)).status).toBe(404)
  })
})

describe('invoice numbers', () => {
  it('run without a gap when many are issued at once', async () => {
    const opened = await Promise.all(Array.from({ length: 12 }, () => anOrder(lms)))
    const other = await lms.another()
    const paid = opened.map((one) => pay(lms, one).razorpay_payment_id)
    await Promise.all(
      paid.map(async (id, at) => {
        const deps = at % 2 === 0 ? lms.deps : other.deps
        const payment = await deps.gateways.forNewOrders.fetchPayment(id)
        return settlePayment(deps, payment, { source: 'poll' })
      }),
    )
    const numbers = (await lms.db.orm.invoices.where({}).all()).map(({ number }) => number).sort()
    const serials = numbers.map((number) => Number(number.slice(-6)))
    expect(serials).toEqual(serials.map((_, at) => at + 1))
    expect(numbers.every((number) => /^INV\/\d\d-\d\d\/\d{6}$/.test(number))).toBe(true)
    await expectSound(lms)
  })

  it('go on after the millionth, within the sixteen characters of the law', async () => {
    const { order } = await aSale(lms)
    const last = await lms.db.orm.invoices.where({ orderId: order.id }).first()
    const serial = last?.serial ?? 0
    const moveTo = (to: number) =>
      lms.db.orm.invoices.where({ orderId: order.id }).update({ serial: to })
    await moveTo(999_999)
    const next = await Promise.all([aSale(lms), aSale(lms)])
    const numbers = await Promise.all(
      next.map((one) => lms.db.orm.invoices.where({ orderId: one.order.id }).first()),
    )
    const year = financialYear(lms.clock.now())
    expect(numbers.map((one) => one?.number).sort()).toEqual([
      `IN/${year}/1000000`,
      `IN/${year}/1000001`,
    ])
    expect(numberOf('INV', '26-27', 99_999_999)).toHaveLength(16)
    await moveTo(serial)
    for (const [at, one] of numbers.entries())
      await lms.db.orm.invoices
        .where({ orderId: one?.orderId ?? '' })
        .update({ serial: serial + at + 1 })
  })

  it('begin anew with the financial year, in Indian time', () => {
    expect(financialYear(new Date('2027-03-31T18:29:59Z'))).toBe('26-27')
    expect(financialYear(new Date('2027-03-31T18:30:00Z'))).toBe('27-28')
    expect(financialYear(new Date('2099-12-31T00:00:00Z'))).toBe('99-00')
  })

  it('are of a month that begins in Indian time, too', () => {
    const starts = (at: string) => startOfMonth(new Date(at)).toISOString()
    expect(starts('2026-11-30T18:29:59Z')).toBe('2026-10-31T18:30:00.000Z')
    expect(starts('2026-11-30T18:30:00Z')).toBe('2026-11-30T18:30:00.000Z')
    expect(starts('2027-01-01T00:00:00Z')).toBe('2026-12-31T18:30:00.000Z')
  })
})
