// Names of states are told apart by their letters, and written in a dozen scripts by people and by keyboards that differ.
import { fold } from './fold.ts'

// All that is no letter, mark or digit; accents, nuktas, the doubling sign of Gurmukhi and the short vowels of Arabic.
const DROPPED =
  /[^\p{L}\p{M}\p{N}]|[\u0300-\u036f\u093c\u09bc\u0a3c\u0a71\u0abc\u0b3c\u0cbc\u064b-\u065f\u0670\u0640]/gu

// The blocks of these scripts are laid out alike, 128 places each: nasal consonants at 19, 1e, 23, 28 and 2e, the sign
// that takes the vowel away at 4d, the dot that stands for any nasal at 02. Before y, r, l, v the consonant stays.
const NASAL = /([\u0900-\u0d7f])[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d]/g
const MOON_DOTS = /[\u0901\u0981\u0a01\u0a70\u0a81\u0b01\u0c01\u0c81\u0d01]/g
const NASALS = new Set([0x19, 0x1e, 0x23, 0x28, 0x2e])

/**
 * Names as they are compared: folded as all texts are, and without spaces, signs, the dots that loans and older spellings
 * have under letters, and the second way to write a nasal before a consonant.
 */
export function foldedName(name: string): string {
  return fold(name)
    .normalize('NFKD')
    .replaceAll('&', 'and')
    .replace(DROPPED, '')
    .replace(NASAL, (_sign, _nasal, at: number, whole: string) => anusvaraOf(whole, at))
    .replace(MOON_DOTS, (sign) => String.fromCharCode((sign.charCodeAt(0) & ~0x7f) + 0x02))
    .replaceAll('\u09f0', '\u09b0')
    .replace(/[\u06be\u06c3\u0629]/g, '\u0647')
}

function anusvaraOf(whole: string, at: number): string {
  const [nasal, next] = [whole.charCodeAt(at), whole.charCodeAt(at + 2)]
  const isBeforeStop = (next & 0x7f) >= 0x15 && (next & 0x7f) <= 0x2e && next >> 7 === nasal >> 7
  const isDot = NASALS.has(nasal & 0x7f) && isBeforeStop && !NASALS.has(next & 0x7f)
  return isDot ? String.fromCharCode((nasal & ~0x7f) + 0x02) : whole.slice(at, at + 2)
}
