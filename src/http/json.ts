import type { Reason } from '../errors.ts'

const MAX_DEPTH = 32
const MAX_VALUES = 20_000

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/**
 * What speaks against parsing this JSON, or null. Parsers keep the last of two equal keys while what stands
 * in front of us may have looked at the first; `__proto__` becomes a prototype wherever somebody copies the
 * object; deep nesting exhausts the stack of whoever walks it. Syntax is left to the parser.
 */
export function faultOfJson(text: string): Reason | null {
  const keysOfOpen: (Set<string> | null)[] = []
  let values = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      if (end === -1) return 'MALFORMED_REQUEST'
      const keys = keysOfOpen.at(-1)
      if (keys && isFollowedByColon(text, end)) {
        const key = keyOf(text.slice(at, end + 1))
        if (key === null || key === '__proto__') return 'MALFORMED_REQUEST'
        if (keys.has(key)) return 'DUPLICATE_PARAMETER'
        keys.add(key)
      }
      at = end
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      keysOfOpen.push(code === OPEN_OBJECT ? new Set() : null)
      if (keysOfOpen.length > MAX_DEPTH) return 'MALFORMED_REQUEST'
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      keysOfOpen.pop()
    } else if (code === COMMA) {
      values += 1
      if (values > MAX_VALUES) return 'MALFORMED_REQUEST'
    }
  }
  return null
}

/** The place of the closing quote, or -1. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, start, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, start: number, quote: number): boolean {
  let at = quote - 1
  while (at > start && text.charCodeAt(at) === BACKSLASH) at -= 1
  return (quote - 1 - at) % 2 === 1
}

function isFollowedByColon(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && text.charCodeAt(at) <= 32) at += 1
  return text.charCodeAt(at) === COLON
}

function keyOf(quoted: string): string | null {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    return null
  }
}
