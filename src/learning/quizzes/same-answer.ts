import { fold } from '../../fold.ts'

// In all the scripts that have a full stop of their own.
const FULL_STOPS = /[\s.\u3002\u0964\u0965\u06d4\u0589\u1362\u104b\u17d4]+$/u
// Not behind a single letter or a digit: `5!` is another number.
const EXCLAMATION = /(?<=[\p{L}\p{M}]{2})\s*[!?\u061f\u037e]+$/u
const QUOTED = /^"([^"]*\p{L}[^"]*)"$|^'([^']*\p{L}[^']*)'$/u

/**
 * Whether an answer says what the right one does: folded, without the full stop of a sentence; what ends it or
 * stands around it besides counts where the right one has it. Numbers may have their thousands parted.
 */
export function isSameAnswer(given: string, right: string): boolean {
  const wanted = withoutStop(fold(right))
  const answer = withoutStop(fold(given))
  const plainest = [answer, unquoted(answer), withoutStop(answer.replace(EXCLAMATION, ''))]
  return plainest.some((one) => one === wanted || numberIn(one) === numberIn(wanted))
}

function withoutStop(text: string): string {
  const rest = text.replace(FULL_STOPS, '')
  return rest === '' ? text : rest
}

function unquoted(text: string): string {
  const [, double, single] = QUOTED.exec(text) ?? []
  return withoutStop(double ?? single ?? text)
}

const NUMBER = /^([+-]?)(\d+|\d{1,3}(?:,\d{2,3})*,\d{3})?(\.\d+)?$/

/** A text that is nothing but a number, in one spelling: `1,00,000` is 100000 and `.5` is 0.5. */
function numberIn(text: string): string {
  const [whole, sign = '', integer = '0', decimals = ''] = NUMBER.exec(text) ?? []
  if (whole === undefined || !/\d/.test(whole)) return text
  return `${sign === '-' ? '-' : ''}${integer.replaceAll(',', '')}${decimals}`
}
