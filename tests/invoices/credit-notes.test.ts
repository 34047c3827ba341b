import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CreditNoteBody, creditNoteBodyOf } from '../../src/invoices/credit-note-body.ts'
import { InvoiceBody } from '../../src/invoices/invoice-body.ts'
import { missingCreditNotes } from '../../src/invoices/missing-credit-notes.ts'
import { aSale, aSaleOfTwo, anOrder, lineOf, pay } from '../support/builders/orders.ts'
import { jobs } from '../../src/router.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { runJob, startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, ledgerOf } from '../support/order-checks.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms({
    env: { SELLER_GSTIN: '29ABCDE1234F1ZW', SELLER_ADDRESS: '4, Lake View Road, Bengaluru' },
  })
})
beforeEach(async () => {
  admin = await anAdmin(lms)
})

type Wish = Parameters<Person['api']['refunds']['create']['mutate']>[0]
const refund = (wish: Wish) => admin.api.refunds.create.mutate(wish)
const notesOf = async (buyer: Person, orderId: string) =>
  (await buyer.api.invoices.creditNotes.query({ orderId, limit: 100 })).items.reverse()

describe('a processed refund', () => {
  it('has a credit note, for its buyer and for administrators', async () => {
    const { buyer, order } = await aSale(lms, { pricePaise: 11_800 })
    await refund({ orderId: order.id })
    const invoice = await buyer.api.invoices.get.query({ orderId: order.id })
    const [note, ...others] = await notesOf(buyer, order.id)
    expect(others).toEqual([])
    expect(note).toMatchObject({
      invoiceNumber: invoice.number,
      totalPaise: 11_800,
      taxablePaise: 10_000,
      taxes: invoice.taxes,
      cancelledAt: null,
    })
    expect(note?.number).toMatch(/^CRN\/\d\d-\d\d\/\d{6}$/)
    expect(note?.number).toHaveLength(16)
    const mine = await buyer.api.invoices.creditNotes.query()
    expect(mine.items.map(({ id }) => id)).toEqual([note?.id])
    const all = await admin.api.invoices.listCreditNotes.query()
    expect(all.items.map(({ id }) => id)).toContain(note?.id)
    const exported = await buyer.api.account.export.query()
    expect(exported.creditNotes.map(({ number }) => number)).toEqual([note?.number])
    const page = await (await buyer.fetch(`/receipts/credit-notes/${note?.id ?? ''}`)).text()
    for (const text of [
      'Credit note',
      note?.number ?? '',
      invoice.number,
      'tax invoice',
      '₹118.00',
    ])
      expect(page).toContain(text)
    expect(await (await buyer.fetch(`/receipts/${order.id}`)).text()).toContain(note?.number)
  })

  it('shows its credit note to nobody else', async () => {
    const { buyer, order } = await aSale(lms)
    await refund({ orderId: order.id })
    const [note] = await notesOf(buyer, order.id)
    const at = `/receipts/credit-notes/${note?.id ?? ''}`
    const stranger = await aStudent(lms)
    expect((await lms.visitor().fetch(at)).status).toBe(401)
    expect((await stranger.fetch(at)).status).toBe(404)
    expect((await (await anAdmin(lms)).fetch(at)).status).toBe(200)
    expect((await buyer.fetch('/receipts/credit-notes/nonsense')).status).toBe(404)
    const orderId = order.id
    await refused(stranger.api.invoices.creditNotes.query({ orderId }), 'NOT_FOUND')
    expect((await stranger.api.invoices.creditNotes.query()).items).toEqual([])
  })

  it('of parts takes back of each line no more than it was sold for, and in all exactly the tax', async () => {
    const sale = await aSaleOfTwo(lms)
    const orderId = sale.order.id
    const { no } = lineOf(sale, 30_000)
    await refund({ orderId, amountPaise: 1_001, idempotencyKey: 'first' })
    await refund({ orderId, lines: [no] })
    await refund({ orderId, amountPaise: 700, idempotencyKey: 'second' })
    await refund({ orderId })
    const notes = await notesOf(sale.buyer, orderId)
    expect(notes.map(({ totalPaise }) => totalPaise)).toEqual([1_001, 30_000, 700, 18_299])
    const invoice = await sale.buyer.api.invoices.get.query({ orderId })
    const sum = (amounts: number[]) => amounts.reduce((all, one) => all + one, 0)
    const stored = await lms.db.orm.credit_notes.where({ orderId }).all()
    const parts = stored.flatMap(({ body }) => CreditNoteBody.parse(body).lines)
    for (const [at, { amountPaise }] of invoice.lines.entries())
      expect(sum(parts.filter((part) => part.at === at).map((part) => part.amountPaise))).toBe(
        amountPaise,
      )
    for (const [at, { amountPaise }] of invoice.taxes.entries())
      expect(sum(notes.map(({ taxes }) => taxes[at]?.amountPaise ?? 0))).toBe(amountPaise)
    expect(sum(notes.map(({ taxablePaise }) => taxablePaise ?? 0))).toBe(invoice.taxablePaise)
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('made in the gateway’s dashboard has one as well', async () => {
    const sale = await aSale(lms)
    lms.razorpay.refund(sale.paymentId, 5_000)
    await deliverWebhooks(lms)
    const notes = await notesOf(sale.buyer, sale.order.id)
    expect(notes.map(({ totalPaise }) => totalPaise)).toEqual([5_000])
  })

  it('of a second payment, which bought nothing, has none', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened, { outcome: 'double' })
    await deliverWebhooks(lms)
    lms.clock.advance(120)
    await lms.work()
    const given = await lms.db.orm.refunds.where({ orderId: opened.order.id }).all()
    expect(given.map(({ status }) => status)).toEqual(['PROCESSED'])
    expect(await notesOf(opened.buyer, opened.order.id)).toEqual([])
    await expectSound(lms)
  })

  it('that is on its way has none yet, and one that then fails never', async () => {
    const sale = await aSale(lms)
    const orderId = sale.order.id
    await lms.razorpay.with({ refunds: 'pending' }, () => refund({ orderId }))
    expect(await notesOf(sale.buyer, orderId)).toEqual([])
    lms.razorpay.settleRefund(ledgerOf(lms, sale.paymentId)?.refunds[0]?.id ?? '', 'failed')
    await deliverWebhooks(lms)
    expect(await notesOf(sale.buyer, orderId)).toEqual([])
    await expectSound(lms)
  })

  it('that fails after all has its note cancelled, whose number stays', async () => {
    const other = await startLms()
    const sale = await aSale(other)
    const orderId = sale.order.id
    await (await anAdmin(other)).api.refunds.create.mutate({ orderId })
    await deliverWebhooks(other)
    await other.db.orm.refunds
      .where({ orderId })
      .update({ status: 'FAILED', settledAt: null, nextAt: new Date(0) })
    await other.work()
    const [note] = await notesOf(sale.buyer, orderId)
    expect(note?.cancelledAt).toBeInstanceOf(Date)
    const page = await (await sale.buyer.fetch(`/receipts/credit-notes/${note?.id ?? ''}`)).text()
    expect(page).toContain('Cancelled on')
    await other.close()
  })

  it('before its order was fulfilled has its note as soon as there is an invoice', async () => {
    const sale = await aSale(lms)
    const orderId = sale.order.id
    await lms.db.orm.invoices.where({ orderId }).delete()
    await lms.db.orm.orders
      .where({ _id: orderId })
      .update({ status: 'PAID', fulfilledAt: null, timeline: [] })
    await refund({ orderId, amountPaise: 1_000 })
    expect(await notesOf(sale.buyer, orderId)).toEqual([])
    await admin.api.orders.redrive.mutate({ orderId })
    const notes = await notesOf(sale.buyer, orderId)
    expect(notes.map(({ totalPaise }) => totalPaise)).toEqual([1_000])
  })

  it('from before there were credit notes has one made by a job', async () => {
    const sale = await aSale(lms)
    const orderId = sale.order.id
    await refund({ orderId })
    await deliverWebhooks(lms)
    const [first] = await notesOf(sale.buyer, orderId)
    await lms.db.orm.credit_notes.where({ orderId }).delete()
    const found = await admin.api.admin.invariants.query({ graceSeconds: 0 })
    expect(found.map(({ detail }) => detail)).toContain('has no credit note')
    await runJob(missingCreditNotes, lms.deps)
    const [again] = await notesOf(sale.buyer, orderId)
    expect(again).toMatchObject({ number: first?.number, totalPaise: 49_900 })
    await expectSound(lms)
  })
})

describe('credit note numbers', () => {
  it('run without a gap when many are issued at once by two servers', async () => {
    const sales = await Promise.all(Array.from({ length: 6 }, () => aSaleOfTwo(lms)))
    const other = await lms.another()
    const parts = sales.flatMap(({ order }) =>
      order.lines.map(({ no }) => ({ orderId: order.id, lines: [no] })),
    )
    await lms.razorpay.with({ refunds: 'pending' }, () => Promise.all(parts.map(refund)))
    const refunds = sales.flatMap(({ paymentId }) => ledgerOf(lms, paymentId)?.refunds ?? [])
    lms.razorpay.with({ drop: 'all' }, () => {
      for (const { id } of refunds) lms.razorpay.settleRefund(id, 'processed')
    })
    await lms.db.orm.refunds.where({ status: 'PENDING' }).updateAndCount({ nextAt: new Date(0) })
    await Promise.all([lms.work(), runAll(other.deps)])
    const notes = await lms.db.orm.credit_notes.where({}).all()
    const serials = notes.map(({ serial }) => serial).sort((one, two) => one - two)
    expect(serials).toEqual(serials.map((_, at) => at + 1))
    for (const { order } of sales) {
      const ofOrder = notes.filter(({ orderId }) => orderId === order.id)
      expect(ofOrder.map(({ place }) => place).sort()).toEqual([1, 2])
    }
    await expectSound(lms)
  })
})

async function runAll(deps: Lms['deps']): Promise<void> {
  for (const job of jobs) await runJob(job, deps)
}

describe('a credit note of an invoice of before November 2026', () => {
  it('takes back the tax of the whole at its rate', () => {
    const body = InvoiceBody.parse({
      seller: { name: 'G', state: 'Karnataka', gstin: '29ABCDE1234F1ZW', address: null },
      buyer: { name: 'A', state: null, gstin: null, address: null, email: '' },
      lines: [{ title: 'Rust', listPaise: 11_800, discountPaise: 0, amountPaise: 11_800 }],
      currency: 'INR',
      totalPaise: 11_800,
      taxablePaise: 10_000,
      taxes: ['CGST', 'SGST'].map((name) => ({ name, percent: 9, amountPaise: 900 })),
      paymentId: 'pay_x',
      paidAt: '2026-10-01T00:00:00.000Z',
    })
    const invoice = { number: 'INV/26-27/000001', issuedAt: new Date(0), body }
    const asked = {
      amountPaise: 11_800,
      lineNos: ['1'],
      paymentId: 'pay_x',
      createdAt: new Date(0),
    }
    const note = creditNoteBodyOf(invoice, asked, [])
    expect(note).toMatchObject({ totalPaise: 11_800, taxablePaise: 10_000, taxes: body.taxes })
    expect(note.isOfTaxInvoice).toBe(false)
  })
})
