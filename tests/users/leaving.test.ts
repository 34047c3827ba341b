import { beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '../../src/auth/passwords.ts'
import { anAdmin, aStudent } from '../support/builders/people.ts'
import { post } from '../support/builders/auth.ts'
import { aSale } from '../support/builders/orders.ts'
import { startLms, type Lms } from '../support/harness.ts'

const BILLING = { name: 'Asha Traders', state: 'Kerala', address: '7 Lake Road, Kochi' }
const GSTIN = '32ABCDE1234F1Z9'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

/** A buyer who has left, and the invoice that stays. */
async function invoiceAfter(billing: object | null) {
  const buyer = await aStudent(lms, 'Leela Menon')
  if (billing) await buyer.api.account.update.mutate({ billing: { ...BILLING, ...billing } })
  const { order } = await aSale(lms, { buyer })
  const { body } = (await lms.db.orm.invoices.where({ orderId: order.id }).first()) ?? {}
  expect(JSON.stringify(body)).toContain(buyer.user.email)
  await buyer.api.account.delete.mutate({ password: buyer.password })
  const invoice = await lms.db.orm.invoices.where({ orderId: order.id }).first()
  return { buyer, invoice }
}

describe('an invoice of somebody who has left', () => {
  it('stays, with its number and amounts, and names nobody', async () => {
    for (const billing of [null, {}]) {
      const { buyer, invoice } = await invoiceAfter(billing)
      expect(invoice?.number).toMatch(/^INV\//)
      expect(invoice?.body).toMatchObject({
        totalPaise: 49_900,
        buyer: { name: 'Deleted user', email: '', address: null },
      })
      const told = JSON.stringify(invoice)
      for (const gone of ['Leela', 'Asha Traders', 'Lake Road', buyer.user.email])
        expect(told).not.toContain(gone)
    }
  })

  it('names the business whose GSTIN is on it, and not its e-mail address', async () => {
    const { buyer, invoice } = await invoiceAfter({ gstin: GSTIN })
    expect(invoice?.body).toMatchObject({ buyer: { ...BILLING, gstin: GSTIN, email: '' } })
    expect(JSON.stringify(invoice)).not.toContain(buyer.user.email)
  })

  it('leaves nothing else that names them', async () => {
    const { buyer } = await invoiceAfter(null)
    await lms.work()
    for (const { name } of await lms.db.driver.listCollections().toArray()) {
      const rows = await lms.db.driver.collection(name).find({}).toArray()
      const naming = rows.filter((row) => JSON.stringify(row).includes(buyer.user.email))
      expect([name, naming]).toEqual([name, []])
    }
  })
})

describe('an administrator whose account changes while it is deleted', () => {
  it('is still one when the deletion is refused', async () => {
    await anAdmin(lms)
    let reason: string | null = null
    for (let tries = 0; tries < 10 && reason !== 'CHANGED_MEANWHILE'; tries += 1) {
      const admin = await anAdmin(lms)
      // All of them are hashes of the same password: only when the account is written does one matter.
      const hashes: string[] = []
      for (let n = 0; n < 8; n += 1) hashes.push(await hashPassword(admin.password))
      const call = { isOver: false }
      const deletion = post(admin, { path: 'account.delete' }, { password: admin.password })
      void deletion.then(() => (call.isOver = true))
      const users = lms.db.driver.collection('users')
      const living = { email: admin.user.email }
      for (let n = 0; !call.isOver; n += 1)
        await users.updateOne(living, { $set: { passwordHash: hashes[n % hashes.length] } })
      reason = (await deletion).reason
      const stored = await lms.db.orm.users.where({ _id: admin.user.id }).first()
      if (reason === 'CHANGED_MEANWHILE')
        expect(stored).toMatchObject({ role: 'ADMIN', deletedAt: null, name: 'Meera Shah' })
      else expect(stored?.deletedAt).toBeInstanceOf(Date)
    }
    expect(reason).toBe('CHANGED_MEANWHILE')
  })
})
