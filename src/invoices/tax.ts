// Prices include GST. Within one state it is shared by the centre and the state, across states it is whole; a buyer
// without a billing address is taken to be where the seller is. CGST and SGST are equal by law: where the tax is an
// odd number of paise, the odd one is rounded off the tax and stays in the taxable value.
import { stateOf } from './gst-states.ts'

const GST_PERCENT = 18

export type TaxPart = { name: string; percent: number; amountPaise: number }

type Places = {
  sellerGstin: string | undefined
  sellerState: string | undefined
  buyerGstin?: string | null | undefined
  buyerState: string | null | undefined
}

/** No tax is shown by a seller who has not said both the GSTIN and the state. */
export function splitTax(
  totalPaise: number,
  { sellerGstin, sellerState, buyerGstin, buyerState }: Places,
): { taxablePaise: number | null; taxes: TaxPart[] } {
  if (sellerGstin === undefined || sellerState === undefined)
    return { taxablePaise: null, taxes: [] }
  const taxablePaise = Math.round((totalPaise * 100) / (100 + GST_PERCENT))
  const taxPaise = totalPaise - taxablePaise
  const seller = stateOf({ gstin: sellerGstin, state: sellerState })
  const buyer = stateOf({ gstin: buyerGstin, state: buyerState })
  if (buyer !== null && buyer !== seller) {
    return { taxablePaise, taxes: [{ name: 'IGST', percent: GST_PERCENT, amountPaise: taxPaise }] }
  }
  const amountPaise = Math.floor(taxPaise / 2)
  const percent = GST_PERCENT / 2
  return {
    taxablePaise: totalPaise - 2 * amountPaise,
    taxes: ['CGST', 'SGST'].map((name) => ({ name, percent, amountPaise })),
  }
}
