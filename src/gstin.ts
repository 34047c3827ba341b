// A GSTIN is the state's code, the holder's PAN, a number among the holder's registrations in that state, a Z and a check
// digit, by which a typing error is found before it stands on an invoice.
import { z } from 'zod'
import { stateOfCode, type GstState } from './gst-states.ts'

const SHAPE = /^\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[\dA-Z]$/
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Whether it is one: its state, its shape and its check digit; in upper case. */
export function isGstin(text: string): boolean {
  return hasGstinShape(text) && checkDigitOf(text) === text[14]
}

/** The same without the check digit. */
export function hasGstinShape(text: string): boolean {
  return SHAPE.test(text) && stateOfGstin(text) !== null
}

/** The state that a GSTIN was given in. Nobody is registered outside India. */
export function stateOfGstin(text: string): GstState | null {
  const digits = text.slice(0, 2)
  return digits === '96' ? null : stateOfCode(digits)
}

function checkDigitOf(text: string): string {
  const sum = Array.from(text.slice(0, 14)).reduce((total, digit, at) => {
    const product = DIGITS.indexOf(digit) * (at % 2 === 0 ? 1 : 2)
    return total + Math.floor(product / 36) + (product % 36)
  }, 0)
  return DIGITS[(36 - (sum % 36)) % 36] ?? ''
}

/** A GSTIN, however it was typed, in upper case. */
export const Gstin = z
  .string()
  .max(40)
  .transform((text) => text.replace(/[\s-]/g, '').toUpperCase())
  .refine(hasGstinShape, { error: 'is not a GSTIN', abort: true })
  .refine(isGstin, 'is not a GSTIN: its last character does not fit the others')
