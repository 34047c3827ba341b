import sanitize from 'sanitize-html'
import { lines } from '../fields.ts'
import { faultOfText, normalized } from '../text.ts'
import { ALLOWED_TAGS, escapeText } from './markup.ts'

export const MAX_BODY_CHARS = 100_000

const LINK_ATTRIBUTES = { rel: 'nofollow noopener noreferrer' }
const MOST_TOLD = 50

/** Harmless HTML, and what was taken out of what was written: `<script>`, `onclick`. */
export type RichText = { html: string; dropped: string[] }

// What an author may write. Everything else goes on the way in, so that no frontend, however careless, can be
// made to run it.
const RULES: sanitize.IOptions = {
  allowedTags: ALLOWED_TAGS,
  allowedAttributes: { a: ['href', 'rel'] },
  allowedSchemes: ['http', 'https'],
  allowedSchemesAppliedToAttributes: ['href'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  nestingLimit: 30,
}

/**
 * Rich text of several lines, cleaned to harmless HTML of so many characters at most: what is read back can
 * be sent again, and changes nothing.
 */
export const richText = (most: number) =>
  lines(most)
    .refine((text) => !hasHarmfulReference(text), 'has characters that are not allowed')
    .transform(cleaned)
    .refine(({ html }) => html.length <= most, `is longer than ${most} characters of HTML`)
    .refine(({ html }) => faultOfText(html) === null, 'has characters that are not allowed')

// A parser would make another character of `&#0;` and `&#xd800;`.
function hasHarmfulReference(text: string): boolean {
  return [...text.matchAll(/&#(?:x([0-9a-f]{1,8})|(\d{1,8}))/gi)].some(([, hex, decimal]) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code > 0x10ffff || faultOfText(String.fromCodePoint(code)) !== null
  })
}

function cleaned(text: string): RichText {
  const { parts: given, dropped, ...first } = cleanOnce(text)
  let { html } = first
  let parts = given
  // What a parser has put in order may read in another way the next time: until it does not.
  for (let tries = 0; tries < 5; tries += 1) {
    const again = cleanOnce(html)
    parts = again.parts
    if (again.html === html) break
    html = again.html
  }
  return { html, dropped: [...new Set([...dropped, ...missing(given, parts)])].slice(0, MOST_TOLD) }
}

type Cleaned = RichText & { parts: Map<string, number> }

/** `parts` counts the tags and attributes that were found. */
function cleanOnce(text: string): Cleaned {
  const { html, dropped } = escapeText(text)
  const parts = new Map<string, number>()
  const count = (part: string) => parts.set(part, (parts.get(part) ?? 0) + 1)
  const transform: sanitize.Transformer = (tagName, attribs) => {
    count(`<${tagName.slice(0, 40)}>`)
    const own = Object.fromEntries(Object.entries(attribs).filter(([name]) => name !== 'rel'))
    for (const name of Object.keys(own)) count(name.slice(0, 40))
    return { tagName, attribs: tagName === 'a' ? { ...own, ...LINK_ATTRIBUTES } : own }
  }
  const clean = sanitize(html, { ...RULES, transformTags: { '*': transform } })
  return { html: normalized(clean).trim(), dropped, parts }
}

function missing(given: Map<string, number>, left: Map<string, number>): string[] {
  return [...given].flatMap(([part, times]) => ((left.get(part) ?? 0) < times ? [part] : []))
}

const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' }

/** The words of cleaned HTML, for searching: it may still look like HTML, and is never shown. */
export function wordsOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(?:lt|gt|quot|amp);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim()
}
