// Prices include GST. Within one state it is shared by the centre and the state, across states it is whole; a buyer
// without a billing address is taken to be where the seller is.
const GST_PERCENT = 18

export type TaxPart = { name: string; percent: number; amountPaise: number }

type Places = {
  sellerGstin: string | undefined
  sellerState: string | undefined
  buyerState: string | null | undefined
}

/** No tax is shown by a seller who has not said both the GSTIN and the state. */
export function splitTax(
  totalPaise: number,
  { sellerGstin, sellerState, buyerState }: Places,
): { taxablePaise: number | null; taxes: TaxPart[] } {
  if (sellerGstin === undefined || sellerState === undefined)
    return { taxablePaise: null, taxes: [] }
  const taxablePaise = Math.round((totalPaise * 100) / (100 + GST_PERCENT))
  const taxPaise = totalPaise - taxablePaise
  if (buyerState && plain(buyerState) !== plain(sellerState)) {
    return { taxablePaise, taxes: [{ name: 'IGST', percent: GST_PERCENT, amountPaise: taxPaise }] }
  }
  const percent = GST_PERCENT / 2
  const central = Math.floor(taxPaise / 2)
  return {
    taxablePaise,
    taxes: [
      { name: 'CGST', percent, amountPaise: central },
      { name: 'SGST', percent, amountPaise: taxPaise - central },
    ],
  }
}

function plain(state: string): string {
  return state.trim().toLowerCase()
}
