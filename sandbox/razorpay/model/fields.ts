// Fields of requests, checked and refused in Razorpay's words.
import type { Notes } from './entities.ts'
import { Refusal, refuseExtraFields } from './refusal.ts'

/** A request's JSON object. */
export type Body = Record<string, unknown>

/** Paise; whether so few are allowed is for the caller to say. */
export function readAmount(value: unknown): number {
  if (value === undefined || value === null) {
    throw new Refusal('amount: is required.', { field: 'amount' })
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new Refusal('The amount must be an integer.', { field: 'amount' })
  }
  return value
}

/** An ISO code of three capitals. */
export function readCurrency(value: unknown): string {
  if (value === undefined || value === null) {
    throw new Refusal('currency: is required.', { field: 'currency' })
  }
  if (typeof value !== 'string' || !/^[A-Z]{3}$/.test(value)) {
    throw new Refusal('The currency should be a valid ISO code.', { field: 'currency' })
  }
  return value
}

/** Up to 40 characters, or null where none was sent. */
export function readReceipt(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') {
    throw new Refusal('The receipt must be a string.', { field: 'receipt' })
  }
  if (value.length > 40) {
    throw new Refusal('The receipt may not be greater than 40 characters.', { field: 'receipt' })
  }
  return value
}

/** Up to 15 pairs of up to 256 characters; numbers become text. */
export function readNotes(value: unknown): Notes {
  if (value === undefined || value === null) return []
  if (typeof value !== 'object')
    throw new Refusal('The notes must be an array.', { field: 'notes' })
  const entries = Object.entries(value)
  if (entries.length === 0) return []
  if (entries.length > 15) {
    throw new Refusal('Number of fields in notes should be less than or equal to 15', {
      field: 'notes',
    })
  }
  const notes: Record<string, string> = {}
  for (const [key, note] of entries) {
    if (typeof note !== 'string' && typeof note !== 'number') {
      throw new Refusal('notes values themselves cannot be an array', { field: 'notes' })
    }
    if (String(note).length > 256) {
      throw new Refusal('The notes may not be greater than 256 characters.', { field: 'notes' })
    }
    notes[key] = String(note)
  }
  return notes
}

/** Whether an order's payments are captured by themselves; null where the account's setting says. */
export function readCapture(value: unknown): boolean | null {
  if (value === undefined) return null
  const payment = readObject(value, 'payment')
  refuseExtraFields(payment, ['capture', 'capture_options'])
  if (payment['capture'] !== 'automatic' && payment['capture'] !== 'manual') {
    throw new Refusal('The selected capture is invalid.', { field: 'capture' })
  }
  if (payment['capture_options'] !== undefined) {
    const options = readObject(payment['capture_options'], 'capture_options')
    refuseExtraFields(options, ['automatic_expiry_period', 'manual_expiry_period', 'refund_speed'])
    const { automatic_expiry_period: automatic, manual_expiry_period: manual } = options
    if (automatic !== undefined && !(Number.isInteger(automatic) && Number(automatic) >= 12)) {
      throw new Refusal('The automatic expiry period must be at least 12.', {
        field: 'automatic_expiry_period',
      })
    }
    if (manual !== undefined && !(Number.isInteger(manual) && Number(manual) <= 7200)) {
      throw new Refusal('The manual expiry period may not be greater than 7200.', {
        field: 'manual_expiry_period',
      })
    }
  }
  return payment['capture'] === 'automatic'
}

/** An object, and no list. */
export function readObject(value: unknown, field: string): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal(`The ${field} must be an object.`, { field })
  }
  return value as Body
}
