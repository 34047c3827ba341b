// One reading of texts that people take for the same, for comparing alone: what is stored stays as it was
// written. Both sides are folded, so nothing stored has to change when this does.

const APOSTROPHES = /[\u2018\u2019\u201a\u201b\u2039\u203a\u02b9\u02bb\u02bc\u2032\u00b4`\uff07]/g
const QUOTES = /[\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e\u301f\uff02]/g
const DASHES = /[\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]/g
const SUPERSCRIPTS = /[\u00b2\u00b3\u00b9\u2070-\u207b]+/g
const FRACTION = /(?<=\p{Nd})[\u00bc-\u00be\u2150-\u215e\u2189]/gu
// What is not seen: joiners, marks of direction, soft hyphens, variation selectors; and the Arabic stretcher.
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u0640]/gu

// Letters that keyboards of neighbouring languages have under codes of their own.
const SAME: Readonly<Record<string, string>> = {
  ...{ '\u064a': '\u06cc', '\u0649': '\u06cc', '\u0643': '\u06a9' },
  ...{ '\u06c1': '\u0647', '\u06d5': '\u0647' },
  ...{ '\u066b': '.', '\u066c': ',', '\u060c': ',', '\u2044': '/', '\u2215': '/' },
  // Malayalam's vowelless letters, which may be written as a letter, its virama and a joiner.
  ...{ '\u0d7a': '\u0d23\u0d4d', '\u0d7b': '\u0d28\u0d4d', '\u0d7c': '\u0d30\u0d4d' },
  ...{ '\u0d7d': '\u0d32\u0d4d', '\u0d7e': '\u0d33\u0d4d', '\u0d7f': '\u0d15\u0d4d' },
  // A capital sigma becomes either of two small ones.
  '\u03c2': '\u03c3',
}
const SAME_LETTERS = new RegExp(`[${Object.keys(SAME).join('')}]`, 'gu')

/**
 * A text as it is compared: one kind of quotes, dashes, blanks and digits, no case, nothing unseen, letters of
 * compatible forms as plain ones. Accents stay: they tell words apart.
 */
export function fold(text: string): string {
  return (
    text
      // Before compatible forms go, by which `10²` would be 102 and `1½` 11/2.
      .replace(APOSTROPHES, "'")
      .replace(QUOTES, '"')
      .replace(SUPERSCRIPTS, (digits) => `^${digits}`)
      .replace(FRACTION, ' $&')
      .normalize('NFKC')
      .replace(UNSEEN, '')
      .replace(DASHES, '-')
      .replace(/\p{Nd}/gu, digitOf)
      // Upwards first: so ß is ss, and the i without a dot is an i.
      .toUpperCase()
      .toLowerCase()
      .replace(/i\u0307/g, 'i')
      .replace(SAME_LETTERS, (letter) => SAME[letter] ?? letter)
      .normalize('NFC')
      .replace(/\s+/g, ' ')
      .trim()
  )
}

/** Unicode keeps the ten digits of each script together, the zero first. */
function digitOf(digit: string): string {
  const code = digit.codePointAt(0) ?? 0
  if (code < 128) return digit
  let zero = code
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1
  return String((code - zero) % 10)
}

const KINDS = [
  "'\u2018\u2019\u02bc\u2032\u00b4`",
  '-\u2010\u2011\u2012\u2013\u2014\u2212',
  '\u06cc\u064a\u0649',
  '\u06a9\u0643',
]

/** A regular expression (PCRE, to be run without case) for a part of a text that is folded the same. */
export function foldedPattern(part: string): string {
  const letters = Array.from(fold(part), (letter) => {
    const kind = KINDS.find((one) => one.includes(letter))
    if (kind !== undefined) return `[${kind.replace('-', String.raw`\-`)}]`
    return /[\p{L}\p{N}\p{M}\s]/u.test(letter) ? letter : String.raw`\${letter}`
  })
  return letters.join('[\u200c\u200d\u0640]*')
}
