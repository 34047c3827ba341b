import { faultOfLine, normalized } from '../text.ts'

const MOST_CHARS = 120

/**
 * What a handout is called when it is downloaded: as its author named it, without what any system takes for a
 * path, an order or a device, and with the extension of what it is. Null where nothing is left of a name.
 */
export function safeFileName(given: string | undefined, format: string): string | null {
  const base = (given ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const stem = Array.from(normalized(base).replace(/\.[a-z][a-z0-9]{1,4}$/i, ''))
    .filter(
      (character) => /[\u200c\u200d]/.test(character) || /[^\p{C}\p{Zl}\p{Zp}]/u.test(character),
    )
    .map((character) => (/[<>:"|?*%;]/.test(character) ? '_' : character))
    .slice(0, MOST_CHARS)
    .join('')
    .replace(/^[\s.]+|[\s.]+$/g, '')
  if (stem === '' || faultOfLine(stem) !== null) return null
  const isDevice = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i.test(stem)
  return `${isDevice ? '_' : ''}${stem}.${format}`
}
