import { DomainError } from '../errors.ts'
import { readDirectory, readEntry, type ReadAt, type ZipEntry } from './zip.ts'

const MOST_TYPES_BYTES = 1024 * 1024

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const MAIN_PARTS: Readonly<Record<string, string>> = {
  [`${OFFICE}.wordprocessingml.document.main+xml`]: 'docx',
  [`${OFFICE}.presentationml.presentation.main+xml`]: 'pptx',
  [`${OFFICE}.spreadsheetml.sheet.main+xml`]: 'xlsx',
}
const MIME_TYPES: Readonly<Record<string, string>> = {
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/epub+zip': 'epub',
}

// Programs inside a document, by where the two families of office programs keep them.
const PROGRAM =
  /(?:^|\/)vba(?:project|data)\w*\.(?:bin|xml)$|(?:^|\/)xl\/macrosheets\/|^(?:basic|scripts)\//i

/**
 * What a document in a zip is, wherever in it that is said. Throws FILE_TYPE_REFUSED for what is none or
 * brings macros along, and as `readDirectory` does.
 */
export async function formatOfZip(readAt: ReadAt, size: number): Promise<string> {
  const entries = await readDirectory(readAt, size)
  const isOdd = entries.some(({ name }) => PROGRAM.test(name) || isOutside(name))
  if (isOdd) throw new DomainError('FILE_TYPE_REFUSED')
  const types = only(entries, '[content_types].xml')
  const format = types
    ? formatByTypes(await readEntry(readAt, types, MOST_TYPES_BYTES))
    : formatByMime(await readMime(readAt, entries))
  if (format === undefined) throw new DomainError('FILE_TYPE_REFUSED')
  return format
}

const isOutside = (name: string): boolean =>
  /^[/\\]|^[a-z]:/i.test(name) || name.split(/[/\\]/).includes('..')

/** Of two entries of one name each program may open another one. */
function only(entries: ZipEntry[], name: string): ZipEntry | undefined {
  const found = entries.filter((entry) => entry.name.toLowerCase() === name)
  if (found.length > 1) throw new DomainError('FILE_TYPE_REFUSED')
  return found[0]
}

function formatByTypes(xml: Buffer): string | undefined {
  const isWide = xml[0] === 0xff && xml[1] === 0xfe
  const text = xml.toString(isWide ? 'utf16le' : 'utf8')
  if (/macroenabled/i.test(text)) return undefined
  const types = [...text.matchAll(/ContentType\s*=\s*["']([^"']*)["']/gi)].map(
    ([, type = '']) => type,
  )
  const formats = new Set(types.flatMap((type) => MAIN_PARTS[type.trim().toLowerCase()] ?? []))
  return formats.size === 1 ? [...formats][0] : undefined
}

async function readMime(readAt: ReadAt, entries: ZipEntry[]): Promise<Buffer> {
  const mime = only(entries, 'mimetype')
  return mime ? readEntry(readAt, mime, 200) : Buffer.alloc(0)
}

const formatByMime = (mime: Buffer): string | undefined =>
  MIME_TYPES[mime.toString('latin1').trim()]
