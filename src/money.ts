/** The rates of GST that the law knows, in per cent; a price includes the tax. */
export const GST_PERCENTS = [0, 5, 12, 18, 28] as const

/** The sum of what each costs, in paise. */
export function sumOf(amounts: readonly { amountPaise: number }[]): number {
  return amounts.reduce((sum, { amountPaise }) => sum + amountPaise, 0)
}

/** Parts `amount` over the prices in proportion, all in whole paise; no part is above its price. */
export function shareOut(amount: number, prices: readonly number[]): number[] {
  const whole = prices.reduce((sum, price) => sum + price, 0)
  const given = Math.min(amount, whole)
  if (given <= 0) return prices.map(() => 0)
  // Running totals, rounded down, differ from each other by exact parts that add up to the whole. As BigInt:
  // the product of two amounts is beyond what a double holds exactly.
  let sum = 0
  let before = 0
  return prices.map((price) => {
    sum += price
    const until = Number((BigInt(given) * BigInt(sum)) / BigInt(whole))
    const part = until - before
    before = until
    return part
  })
}
