// A whole server whose payments go through the memory gateway, and what its tests do again and again.
import { expect } from 'vitest'
import { openGateways } from '../../../src/gateways/payments.ts'
import { anOrder, type Opened, type Sale } from '../builders/orders.ts'
import { startLms, type Lms } from '../harness.ts'
import { expectSameLedger } from '../ledger.ts'
import { expectSound } from '../order-checks.ts'
import { openMemoryBank, type MemoryBank } from './bank.ts'
import type { Payment } from './charges.ts'

export type MemoryLms = Lms & { bank: MemoryBank }

export async function startMemoryLms(
  options: Omit<NonNullable<Parameters<typeof startLms>[0]>, 'gateways'> = {},
): Promise<MemoryLms> {
  const opened: MemoryBank[] = []
  const lms = await startLms({
    ...options,
    gateways: (_config, now) => openGateways(bankOf(opened, now).openGateway()),
  })
  const bank = bankOf(opened, lms.clock.now)
  bank.sender.setUrl(`${lms.url}/webhooks/memory`)
  return { ...lms, bank }
}

/** One for all instances of a server. */
function bankOf(opened: MemoryBank[], now: () => Date): MemoryBank {
  const [bank = openMemoryBank(now)] = opened
  opened[0] = bank
  return bank
}

/** Pays in the dialog; every webhook of it is lost. Answers the payment's id. */
export function payUnheard(lms: MemoryLms, opened: Opened, payment: Payment = {}): Promise<string> {
  return lms.bank.with({ drop: 'all' }, () => lms.bank.pay(opened.order_id, payment).id)
}

export const verify = ({ buyer, order }: Opened) =>
  buyer.api.orders.verify.mutate({ orderId: order.id })

/** An order paid and fulfilled, by verify alone. */
export async function aSale(
  lms: MemoryLms,
  cart: Parameters<typeof anOrder>[1] = {},
): Promise<Sale> {
  const opened = await anOrder(lms, cart)
  return lms.bank.with({ drop: 'all' }, async () => {
    const paymentId = lms.bank.pay(opened.order_id).id
    const order = await verify(opened)
    expect(order.status).toBe('FULFILLED')
    return { ...opened, order, paymentId }
  })
}

/** Waits until every webhook that is due was answered, and worked on. */
export async function settle({ bank, deps }: MemoryLms): Promise<void> {
  await bank.sender.settle()
  await deps.background.idle()
}

/** Time goes by, for the company as well, and the jobs run. */
export async function later(lms: MemoryLms, seconds: number): Promise<void> {
  lms.clock.advance(seconds)
  lms.bank.tick()
  await settle(lms)
  await lms.work()
  await settle(lms)
}

/** Every invariant of the books holds, and the company's own books say the same. */
export async function expectSoundBooks(lms: MemoryLms): Promise<void> {
  await expectSound(lms)
  await expectSameLedger(lms, lms.bank.ledger())
}
