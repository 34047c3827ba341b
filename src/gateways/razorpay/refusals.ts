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
 * Whether asking again can change nothing. Whatever is not known to be final is asked again: too little balance,
 * and every refusal in words that are new.
 */
export function isFinal(description: string): boolean {
  return NEVER.some((words) => words.test(description))
}

/** Whether a capture was asked for with another amount than Razorpay holds. */
export function isOtherAmount(description: string): boolean {
  return /capture amount must be equal/i.test(description)
}

// What is answered for an id that this key's account has nothing under: https://razorpay.com/docs/api/orders/fetch-with-id/.
const UNKNOWN = [/does not exist/i, /not a valid id/i]

/** Whether it is told that there is no such thing, as opposed to any other refusal. */
export function isUnknown(description: string): boolean {
  return UNKNOWN.some((words) => words.test(description))
}
