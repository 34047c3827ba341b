import { domainToASCII } from 'node:url'

/** The most that an SMTP path holds, its brackets taken off. */
export const MOST_BYTES = 254
const MOST_LOCAL_BYTES = 64

// RFC 5321's dot-string and, since RFC 6531, letters of all scripts. No quoted form: it has many spellings.
const ATOM = String.raw`[\p{L}\p{N}\p{M}!#$%&'*+/=?^_{|}~\x60-]+`
const LOCAL = new RegExp(String.raw`^${ATOM}(?:\.${ATOM})*$`, 'u')
// Before it is mapped: the mapping drops what is not seen and decodes `%61`.
const GIVEN_DOMAIN = /^[\p{L}\p{N}\p{M}\u200c\u200d.-]+$/u
const UNSEEN = /(?![\u200c\u200d])\p{Default_Ignorable_Code_Point}/u
const DOMAIN =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$/

/**
 * The one form of an address by which its mailbox is known, whatever way it is spelled: compatible letters as
 * plain ones, small letters, the domain in ASCII. Null for what is no address that mail can be sent to.
 */
export function canonicalAddress(given: string): string | null {
  if (!given.isWellFormed() || UNSEEN.test(given)) return null
  const address = folded(given.trim())
  const at = address.lastIndexOf('@')
  const [local, domain] = [address.slice(0, at), asciiDomain(address.slice(at + 1))]
  const canonical = `${local}@${domain}`
  const isKnown =
    at > 0 &&
    LOCAL.test(local) &&
    domain !== '' &&
    Buffer.byteLength(local) <= MOST_LOCAL_BYTES &&
    Buffer.byteLength(canonical) <= MOST_BYTES
  // A letter that folds to something new each time would give one mailbox two forms.
  return isKnown && folded(canonical) === canonical ? canonical : null
}

/** A part of an address as somebody searches for it, which need not be a whole one. */
export function searchedAddress(part: string): string {
  const at = part.lastIndexOf('@')
  const domain = asciiDomain(folded(part.slice(at + 1)))
  return domain === '' ? folded(part) : folded(part.slice(0, at + 1)) + domain
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase().normalize('NFKC')

function asciiDomain(domain: string): string {
  const dotted = domain.replaceAll('\u3002', '.')
  const ascii = GIVEN_DOMAIN.test(dotted) ? domainToASCII(dotted) : ''
  return DOMAIN.test(ascii) ? ascii : ''
}
