import { isOurKey } from '../../payments/settlement/order-of-payment.ts'
import type { RazorpayFailure } from './failure.ts'

// Razorpay answers 400 to what it will never do and to what it cannot do this minute, and only the words tell which.
const NEVER = [
  /fully refunded already/i,
  /greater than/i,
  /older than/i,
  /at least INR/i,
  /should be captured/i,
  /not a valid id/i,
  /does not exist/i,
  /should not be sent/i,
  /not supported/i,
  /idempotency key/i,
  // The bank may think for months, and the buyer has neither money nor course meanwhile.
  /under dispute/i,
]

/**
 * Whether asking again can change nothing. Whatever is not known to be final is asked again: too little balance, our
 * own key refused, and every refusal in words that are new.
 */
export function isFinal(failure: RazorpayFailure): boolean {
  if (failure.retryable || isOurKey(failure)) return false
  if (failure.code === 'MALFORMED_INPUT') return true
  return NEVER.some((words) => words.test(failure.description))
}
