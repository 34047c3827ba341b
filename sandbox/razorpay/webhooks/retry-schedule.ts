import type { Delivery } from '../model/account.ts'

// Seconds after the first failure, as measured on real test-mode deliveries; doubling to 22.76 h.
const LADDER = [6, 19, 40, 82, 164, 326, 650, 1293, 2577, 5140, 10_266, 20_518, 41_022, 81_936]
const QUICK_FIRST = 0.2

const QUICK_EVENTS = ['payment.authorized', 'payment.captured', 'order.paid']

/** Milliseconds until the next try, or null once Razorpay gives up. Counts the failure. */
export function nextRetryMs(delivery: Delivery, status: number | null): number | null {
  const isClientError = status !== null && status >= 400 && status < 500
  delivery.quickRetry ??= QUICK_EVENTS.includes(delivery.event) && !isClientError
  const steps = delivery.quickRetry ? [QUICK_FIRST, ...LADDER] : LADDER
  const step = steps[delivery.failures]
  const previous = steps[delivery.failures - 1] ?? 0
  delivery.failures += 1
  return step === undefined ? null : Math.round((step - previous) * 1000)
}
