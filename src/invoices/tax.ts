// Prices include GST. Within one state it is shared by the centre and the state, across states it is whole; a buyer
// whose place nobody knows is taken to be where the seller is. CGST and SGST are equal by law: where the tax is an odd
// number of paise, the odd one is rounded off the tax and stays in the taxable value.
import { stateTaxOf, type GstState } from '../gst-states.ts'

export type TaxPart = { name: string; percent: number; amountPaise: number }

/** The part of a price that is no tax, and what the tax is made of; null and none where no tax is shown. */
export type Taxed = { taxablePaise: number | null; taxes: TaxPart[] }

/** What the tax is called between these two places; by no name where the seller is not registered. */
export function taxNamesOf(seller: GstState | null, buyer: GstState | null): string[] {
  if (!seller) return []
  return buyer && buyer.code !== seller.code ? ['IGST'] : ['CGST', stateTaxOf(seller)]
}

/** The tax within an amount, in equal parts of those names. */
export function taxWithin(amountPaise: number, percent: number, names: readonly string[]): Taxed {
  if (names.length === 0) return { taxablePaise: null, taxes: [] }
  const taxPaise = amountPaise - Math.round((amountPaise * 100) / (100 + percent))
  const partPaise = Math.floor(taxPaise / names.length)
  return {
    taxablePaise: amountPaise - names.length * partPaise,
    taxes: names.map((name) => ({
      name,
      percent: percent / names.length,
      amountPaise: partPaise,
    })),
  }
}

/** The sums of what stands on the lines: each tax by its name and rate, the highest rate first. */
export function totalOf(lines: readonly Taxed[]): Taxed {
  const parts = new Map<string, TaxPart>()
  for (const { name, percent, amountPaise } of lines.flatMap(({ taxes }) => taxes)) {
    const key = `${name} ${percent}`
    const before = parts.get(key)?.amountPaise ?? 0
    parts.set(key, { name, percent, amountPaise: before + amountPaise })
  }
  const isTaxed = lines.some(({ taxablePaise }) => taxablePaise !== null)
  return {
    taxablePaise: isTaxed
      ? lines.reduce((sum, { taxablePaise }) => sum + (taxablePaise ?? 0), 0)
      : null,
    taxes: [...parts.values()].sort((one, other) => other.percent - one.percent),
  }
}
