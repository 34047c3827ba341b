import type { Books } from './books.ts'
import type { World } from './world.ts'

/** Nothing is left half-done, nothing was done twice, nothing that was acknowledged is missing. */
export async function effectFaults(world: World, books: Books): Promise<string[]> {
  const { orm } = world.lms.db
  const [events, uses, coupons, invoices, notes, mails] = await Promise.all([
    orm.webhook_events.where({}).all(),
    orm.coupon_uses.where({}).all(),
    orm.coupons.where({}).all(),
    orm.invoices.where({}).all(),
    orm.credit_notes.where({}).all(),
    orm.outbox_mails.where({}).all(),
  ])
  const stored = new Set(events.map(({ eventId }) => eventId))
  const orders = [...books.orders.values()]
  const now = world.lms.clock.now()
  const keys = new Set(mails.map(({ key }) => key))
  return [
    ...[...world.acknowledged]
      .filter((id) => !stored.has(id))
      .map((id) => `event ${id} was acknowledged and lost`),
    ...events
      .filter(({ state }) => state !== 'DONE')
      .map(({ event, outcome }) => `event ${event} is not done: ${outcome ?? ''}`),
    ...books.refunds
      .filter(({ settledAt }) => !settledAt)
      .map(({ key, status, error }) => `refund ${key} hangs at ${status}: ${error ?? ''}`),
    ...orders
      .filter(({ status, expiresAt }) => status === 'CREATED' && expiresAt <= now)
      .map(({ _id }) => `order ${_id} is open and its time is over`),
    ...orders.filter(({ status }) => status === 'PAID').map(({ _id }) => `order ${_id} is stuck`),
    ...uses
      .filter(
        ({ state, orderId }) => state === 'HELD' && books.orders.get(orderId)?.status !== 'REVIEW',
      )
      .map(({ orderId }) => `the coupon of order ${orderId} is still held`),
    ...coupons.flatMap(({ code, maxTotal }) => {
      // A late payer's use is honoured over every limit.
      const isSold = (use: (typeof uses)[number]) => use.state === 'USED' && !use.late
      const used = uses.filter((use) => use.code === code && isSold(use)).length
      const isOver = typeof maxTotal === 'number' && used > maxTotal
      return isOver ? [`coupon ${code} is used ${used} times of ${maxTotal}`] : []
    }),
    ...gapsIn([...invoices, ...notes].map(({ number }) => number)),
    ...orders
      .filter(({ status, amountPaise }) => status === 'FULFILLED' && amountPaise > 0)
      .filter(({ _id }) => !keys.has(`receipt:${_id}`))
      .map(({ _id }) => `order ${_id} was sent no receipt`),
  ]
}

/** Numbers begin anew each financial year, and clocks jump here. */
function gapsIn(numbers: string[]): string[] {
  const known = new Set(numbers)
  return numbers.flatMap((number) => {
    const [, series = '', serial = ''] = /^(.+\/)(\d+)$/.exec(number) ?? []
    const before = series + String(Number(serial) - 1).padStart(serial.length, '0')
    return Number(serial) === 1 || known.has(before) ? [] : [`paper ${before} is missing`]
  })
}
