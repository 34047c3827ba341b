import { beforeAll, describe, expect, it } from 'vitest'
import { placeOf } from '../../src/billing.ts'
import { STATE_NAMES } from '../../src/gst-state-names.ts'
import { stateOf } from '../../src/gst-states.ts'
import { isGstin } from '../../src/gstin.ts'
import { aSale } from '../support/builders/orders.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { SELLER_GSTIN: '29ABCDE1234F1ZW' } })
  lms.razorpay.webhooks.drop = 'all'
})

/** The receipt of somebody with this billing profile. */
async function receiptFor(billing: { state?: string; gstin?: string }): Promise<string> {
  const buyer = await aStudent(lms)
  await buyer.api.account.update.mutate({ billing: { name: 'Asha Traders', ...billing } })
  const { order } = await aSale(lms, { buyer, pricePaise: 11_800 })
  return (await buyer.fetch(`/receipts/${order.id}`)).text()
}

describe('the state of a buyer', () => {
  it.each([
    ['केरल', 'Kerala (32)'],
    ['தமிழ்நாடு', 'Tamil Nadu (33)'],
    ['తెలంగాణ', 'Telangana (36)'],
    ['تلنگانہ', 'Telangana (36)'],
    ['جموں و کشمیر', 'Jammu and Kashmir (01)'],
    ['Orissa', 'Odisha (21)'],
    ['Outside India', 'Outside India (96)'],
  ])('%s is understood, and the tax is that between states', async (state, place) => {
    const page = await receiptFor({ state })
    expect(page).toContain(`Place of supply: ${place}`)
    expect(page).toContain('IGST 18 %')
    expect(page).not.toContain('CGST')
  })

  it.each(['ಕರ್ನಾಟಕ', 'कर्नाटक', 'کرناٹک', '29-Karnataka', 'ka'])(
    '%s is the seller’s own, and the tax is shared',
    async (state) => {
      const page = await receiptFor({ state })
      expect(page).toContain('Place of supply: Karnataka (29)')
      expect(page).toContain('SGST 9 %')
      expect(page).not.toContain('IGST')
    },
  )

  it('is stored by the one name that is printed, however it was written', async () => {
    const { api } = await aStudent(lms)
    const { billing } = await api.account.update.mutate({
      billing: { name: 'Asha', state: ' தமிழ் நாடு ' },
    })
    expect(billing).toMatchObject({ state: 'Tamil Nadu', gstin: null })
  })

  it.each(['Atlantis', 'کچھ بھی', 'अटलांटिस', '00', '45', '99', '30-Karnataka', '-'])(
    '%j is refused, with what is understood',
    async (state) => {
      const { api } = await aStudent(lms)
      const issues = await refused(
        api.account.update.mutate({ billing: { name: 'Asha', state } }),
        'INVALID_INPUT',
      )
      const [issue] = issues
      expect(issue).toMatchObject({ path: 'billing.state' })
      expect(issue?.message).toContain('Uttar Pradesh')
      expect((await api.account.get.query()).billing).toBeNull()
    },
  )

  it('that an earlier version stored and nobody understands decides nothing', async () => {
    const buyer = await aStudent(lms)
    const billing = { name: 'Asha', state: 'Atlantis', gstin: '27ABCDE1234F1Z1', address: 'Rock 1' }
    await lms.db.orm.users.where({ _id: buyer.user.id }).update({ billing })
    expect((await buyer.api.account.get.query()).billing).toEqual(billing)
    const { order } = await aSale(lms, { buyer, pricePaise: 11_800 })
    const page = await (await buyer.fetch(`/receipts/${order.id}`)).text()
    expect(page).toContain('Place of supply: Karnataka (29)')
    expect(page).toContain('Rock 1, Atlantis')
    expect(page).not.toContain('27ABCDE')
  })

  it('is told by each of its names, and by no name of another state', () => {
    for (const [code, names] of Object.entries(STATE_NAMES)) {
      for (const name of names.split(',')) expect([name, stateOf(name)?.code]).toEqual([name, code])
      expect(stateOf(code)?.code).toBe(code)
    }
    expect(Object.keys(STATE_NAMES)).toHaveLength(38)
  })

  it.each([
    ['Jammu & Kashmir', 'J&K', '01'],
    ['Pondicherry', 'Pondichéry', '34'],
    ['Daman & Diu', '25', '26'],
    ['28', 'andhra-pradesh', '37'],
    ['7', 'New Delhi', '07'],
    ['झारखण्ड', 'झारखंड', '20'],
    ['തമിഴ്\u200cനാട്', 'Tamilnadu', '33'],
    ['छत्तीसगढ\u093c', 'ＣＧ', '22'],
    ['State of Kerala', 'Kerala, India', '32'],
    ['IN-MH', 'Maharashtra (27)', '27'],
  ])('%s and %s are one', (one, other, code) => {
    expect([stateOf(one)?.code, stateOf(other)?.code]).toEqual([code, code])
  })
})

describe('a GSTIN', () => {
  it.each([
    ['27ABCDE1234F1Z1', 'a wrong check digit'],
    ['00ABCDE1234F1ZG', 'no state of that code'],
    ['45ABCDE1234F1Z2', 'no state of that code'],
    ['96ABCDE1234F1Z1', 'no state of that code'],
    ['27ABCD11234F1Z0', 'no PAN inside'],
    ['27ABCDE1234F0Z1', 'no number of a registration'],
    ['27ABCDE1234F1Y0', 'no Z'],
    ['27ABCDE1234F1Z', 'too short'],
  ])('%s is refused: %s', async (gstin) => {
    const { api } = await aStudent(lms)
    const issues = await refused(
      api.account.update.mutate({ billing: { name: 'Asha', gstin } }),
      'INVALID_INPUT',
    )
    expect(issues[0]?.path).toBe('billing.gstin')
  })

  it.each(['27AAPFU0939F1ZV', '29AAGCB7383J1Z4', '24AAACC1206D1ZM', '27ABCDE1234F1Z0'])(
    '%s is taken',
    (gstin) => {
      expect(isGstin(gstin)).toBe(true)
    },
  )

  it('of another state than the one that is said is refused', async () => {
    const { api } = await aStudent(lms)
    const gstin = '27ABCDE1234F1Z0'
    for (const state of ['Karnataka', 'ಕರ್ನಾಟಕ', '29', 'Outside India']) {
      const billing = { name: 'Asha', gstin, state }
      const issues = await refused(api.account.update.mutate({ billing }), 'INVALID_INPUT')
      expect(issues[0]?.path).toBe('billing.gstin')
    }
    const said = await api.account.update.mutate({
      billing: { name: 'Asha', gstin, state: 'महाराष्ट्र' },
    })
    expect(said.billing).toMatchObject({ gstin, state: 'Maharashtra' })
  })

  it('says the state, and is stored in upper case', async () => {
    const { api } = await aStudent(lms)
    const billing = { name: 'Asha', gstin: ' 27 abcde1234f 1z0 ' }
    const said = await api.account.update.mutate({ billing })
    expect(said.billing).toMatchObject({ gstin: '27ABCDE1234F1Z0', state: 'Maharashtra' })
    expect(placeOf({ gstin: '32ABCDE1234F1Z9', state: 'Karnataka' })?.name).toBe('Kerala')
    await refused(api.account.update.mutate({ billing: { name: 'Asha' } }), 'INVALID_INPUT')
  })
})
