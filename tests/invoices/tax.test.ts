import { describe, expect, it } from 'vitest'
import { stateOf } from '../../src/gst-states.ts'
import { taxNamesOf, taxWithin, totalOf } from '../../src/invoices/tax.ts'

const within = (paise: number, percent: number, names: string[]) => {
  const { taxablePaise, taxes } = taxWithin(paise, percent, names)
  return { value: taxablePaise ?? 0, taxes: taxes.map(({ amountPaise }) => amountPaise) }
}

describe('the tax within a price', () => {
  it.each([1, 99, 100, 101, 49_900, 11_799, 1_000_000_000])('adds up for %i paise', (total) => {
    for (const percent of [0, 5, 12, 18, 28])
      for (const names of [['IGST'], ['CGST', 'SGST']]) {
        const { value, taxes } = within(total, percent, names)
        expect(value + taxes.reduce((sum, paise) => sum + paise, 0)).toBe(total)
        expect(new Set(taxes).size).toBe(1)
      }
  })

  it('is the part that the rate puts on the value', () => {
    expect(within(11_800, 18, ['IGST'])).toEqual({ value: 10_000, taxes: [1_800] })
    expect(within(11_800, 18, ['CGST', 'SGST'])).toEqual({ value: 10_000, taxes: [900, 900] })
    expect(within(10_500, 5, ['CGST', 'SGST'])).toEqual({ value: 10_000, taxes: [250, 250] })
    expect(within(10_000, 0, ['IGST'])).toEqual({ value: 10_000, taxes: [0] })
  })

  it('is summed by its name and rate', () => {
    const lines = [taxWithin(11_800, 18, ['IGST']), taxWithin(10_500, 5, ['IGST'])]
    expect(totalOf([...lines, ...lines])).toEqual({
      taxablePaise: 40_000,
      taxes: [
        { name: 'IGST', percent: 18, amountPaise: 3_600 },
        { name: 'IGST', percent: 5, amountPaise: 1_000 },
      ],
    })
  })

  it.each([
    ['Karnataka', 'Karnataka', ['CGST', 'SGST']],
    ['Karnataka', 'Kerala', ['IGST']],
    ['Karnataka', 'Outside India', ['IGST']],
    ['Chandigarh', 'Chandigarh', ['CGST', 'UTGST']],
    ['Delhi', null, ['CGST', 'SGST']],
    [null, 'Kerala', []],
  ])('from %s to %s is %j', (seller, buyer, names) => {
    const place = (name: string | null) => (name === null ? null : stateOf(name))
    expect(taxNamesOf(place(seller), place(buyer))).toEqual(names)
  })
})
