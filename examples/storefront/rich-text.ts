import { el, webUrl } from './el.ts'

const KEPT = new Set([
  ...['h2', 'h3', 'h4', 'p', 'br', 'hr', 'blockquote', 'pre', 'code', 'ul', 'ol', 'li'],
  ...['strong', 'b', 'em', 'i', 'u', 's', 'sub', 'sup', 'a'],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
] as const)

type Kept = typeof KEPT extends Set<infer Tag> ? Tag : never

// Their text is not for reading.
const DROPPED = new Set(['script', 'style', 'template', 'iframe', 'object', 'noscript', 'title'])

/**
 * Builds an author's text anew from the elements it may have. The server has cleaned it already; a page that
 * trusts nobody's markup stays safe on the day that fails.
 */
export function richText(html: string): HTMLElement {
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  return el('div', { class: 'prose' }, childrenOf(parsed.body))
}

function childrenOf(node: Node): Node[] {
  return [...node.childNodes].flatMap(copyOf)
}

function copyOf(node: Node): Node[] {
  if (node instanceof Text) return [document.createTextNode(node.data)]
  if (!(node instanceof Element)) return []
  const tag = node.tagName.toLowerCase()
  if (DROPPED.has(tag)) return []
  if (!isKept(tag)) return childrenOf(node)
  const link = { href: webUrl(node.getAttribute('href')), rel: 'noopener nofollow' }
  return [el(tag, tag === 'a' ? link : {}, childrenOf(node))]
}

function isKept(tag: string): tag is Kept {
  return (KEPT as ReadonlySet<string>).has(tag)
}
