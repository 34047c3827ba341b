/** What an author may write as markup. */
export const ALLOWED_TAGS = [
  ...['h2', 'h3', 'h4', 'p', 'br', 'hr', 'blockquote', 'pre', 'code'],
  ...['ul', 'ol', 'li', 'strong', 'b', 'em', 'i', 'u', 's', 'sub', 'sup', 'a'],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
]
const ALLOWED: ReadonlySet<string> = new Set(ALLOWED_TAGS)
const IN_CODE: ReadonlySet<string> = new Set(
  'code pre br strong b em i u s sub sup a span'.split(' '),
)

// What these hold is no text of the author's.
const DROPPED_WHOLE: ReadonlySet<string> = new Set(
  'script style textarea option title xmp iframe noembed noframes noscript'.split(' '),
)
const VOID: ReadonlySet<string> = new Set(
  'area base br col embed frame hr img input link meta param source track wbr'.split(' '),
)
// What editors and word processors bring along; their tags go and their text stays.
const OTHER: ReadonlySet<string> = new Set(
  [
    'html head body template section nav article aside header footer main address div span figure',
    'figcaption dl dt dd picture video audio map object canvas svg math form fieldset legend label button',
    'select datalist optgroup output progress meter details summary dialog menu slot ins del mark small big',
    'font center tt strike kbd samp var cite dfn abbr acronym q time data ruby rt rp bdi bdo h1 h5 h6 caption',
    'colgroup tfoot frameset marquee applet nobr g path circle rect line polyline polygon ellipse text tspan',
    'use defs symbol image foreignobject animate set desc mglyph malignmark mi mo mn ms mtext semantics',
  ].flatMap((row) => row.split(' ')),
)

const TAG =
  /<(\/?)([a-z][a-z0-9:-]*)((?:[\s/]+[a-z_:@][\w:.-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>`]+))?)*)[\s/]*>/iy
const ATTRIBUTE_WITH_VALUE = /[\w:.@-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>`]+)/g
const DOCTYPE = /<!doctype\b[^<>]*>/iy
const COMMENT = ['<!--', '-->'] as const

export type Markup = { html: string; dropped: string[] }

type Tag = { whole: string; isClosing: boolean; name: string; attributes: string }

/**
 * The text with what is no markup escaped: `i<n`, `List<T>`, `#include <stdio.h>`. Scripts and their kin go
 * with all they hold, comments and tags that close nothing as well; `dropped` names these. Nothing that comes
 * out is safe yet.
 */
export function escapeText(text: string): Markup {
  const lastClosing = findLastClosing(text)
  const lastComment = text.lastIndexOf(COMMENT[1])
  const dropped: string[] = []
  const open = new Map<string, number>()
  const openOf = (name: string) => open.get(name) ?? 0
  let html = ''
  let at = 0
  for (let next = text.indexOf('<'); next !== -1; next = text.indexOf('<', at)) {
    html += text.slice(at, next)
    at = next
    const isCode = openOf('code') + openOf('pre') > 0
    const comment = isCode ? '' : commentAt(text, at, lastComment)
    const tag = tagAt(text, at)
    if (comment !== '') {
      dropped.push(comment.startsWith(COMMENT[0]) ? COMMENT.join(' ') : '<!doctype>')
      at += comment.length
    } else if (
      !tag ||
      !isMarkup(tag, { isCode, isClosed: (lastClosing.get(tag.name) ?? -1) > at })
    ) {
      html += '&lt;'
      at += 1
    } else if (DROPPED_WHOLE.has(tag.name)) {
      dropped.push(`<${tag.isClosing ? '/' : ''}${tag.name}>`)
      at = tag.isClosing ? at + tag.whole.length : endOf(text, tag, at)
    } else {
      at += tag.whole.length
      const count = openOf(tag.name)
      if (tag.isClosing && count === 0) dropped.push(`</${tag.name}>`)
      else {
        html += tag.whole
        if (!VOID.has(tag.name)) open.set(tag.name, tag.isClosing ? count - 1 : count + 1)
      }
    }
  }
  return { html: html + text.slice(at), dropped }
}

function isMarkup(tag: Tag, { isCode, isClosed }: { isCode: boolean; isClosed: boolean }): boolean {
  const { name, whole, attributes, isClosing } = tag
  // `Promise<Object>`, `Box<Button>`: no editor writes its tags so.
  if (/^<\/?[A-Z][A-Z0-9]*[a-z]/.test(whole)) return false
  if (isCode && !IN_CODE.has(name)) return false
  if (isClosing) return ALLOWED.has(name) || isKnown(name)
  if (name.length === 1 || name === 'pre' || name === 'code') {
    const isNeeded = name !== 'p' || whole.startsWith('<P')
    if (isNeeded && !isClosed) return false
    return !(name.length === 1 && /\w/.test(attributes.replace(ATTRIBUTE_WITH_VALUE, '')))
  }
  if (ALLOWED.has(name)) return true
  return (
    isKnown(name) && (isClosed || VOID.has(name) || (attributes !== '' && !DROPPED_WHOLE.has(name)))
  )
}

function isKnown(name: string): boolean {
  return OTHER.has(name) || VOID.has(name) || DROPPED_WHOLE.has(name) || /^[movw]:/.test(name)
}

/** The comment or document type that begins here, or ''. `lastEnd` is where the last comment ends, if any does. */
function commentAt(text: string, at: number, lastEnd: number): string {
  if (!text.startsWith(COMMENT[0], at)) return matchAt(DOCTYPE, text, at)?.[0] ?? ''
  const start = at + COMMENT[0].length
  // Each of many that never end would be looked for to the end of the text.
  return start > lastEnd ? '' : text.slice(at, text.indexOf(COMMENT[1], start) + COMMENT[1].length)
}

function tagAt(text: string, at: number): Tag | null {
  const [whole, slash, name = '', attributes = ''] = matchAt(TAG, text, at) ?? []
  return whole === undefined
    ? null
    : { whole, isClosing: slash === '/', name: name.toLowerCase(), attributes }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Name → where the last tag begins that closes it. */
function findLastClosing(text: string): Map<string, number> {
  const found = text.matchAll(/<\/([a-z][a-z0-9:-]*)[\s/]*>/gi)
  return new Map([...found].map(({ index, 1: name = '' }) => [name.toLowerCase(), index]))
}

function endOf(text: string, { name, whole }: Tag, at: number): number {
  const closing = new RegExp(`</${name}[\\s/]*>`, 'gi')
  const end = matchAt(closing, text, at + whole.length)
  return end ? end.index + end[0].length : at + whole.length
}
