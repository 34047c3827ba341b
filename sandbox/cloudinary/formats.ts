import { open, type FileHandle } from 'node:fs/promises'
import { imageSize } from 'image-size'

export type Facts = {
  kind: 'image' | 'video' | 'raw'
  format: string
  width?: number
  height?: number
  duration?: number
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  gif: 'image/gif',
  heic: 'image/heic',
  jpg: 'image/jpeg',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  webp: 'image/webp',
  avi: 'video/x-msvideo',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  webm: 'video/webm',
  csv: 'text/csv',
  txt: 'text/plain',
  vtt: 'text/vtt',
  zip: 'application/zip',
}

const IMAGES = new Set(['avif', 'bmp', 'gif', 'heic', 'heif', 'jpg', 'png', 'svg', 'tiff', 'webp'])

export function contentTypeOf(format: string): string {
  return CONTENT_TYPES[format === 'jpeg' ? 'jpg' : format] ?? 'application/octet-stream'
}

/** Tells by the bytes alone, as Cloudinary does; the name and the declared type say nothing. */
export async function readFacts(path: string): Promise<Facts> {
  const file = await open(path)
  try {
    const head = await readAt(file, 0, 512 * 1024)
    return imageFacts(head) ?? (await videoFacts(file, head)) ?? { kind: 'raw', format: '' }
  } finally {
    await file.close()
  }
}

function imageFacts(head: Buffer): Facts | undefined {
  if (head.subarray(0, 5).toString('latin1') === '%PDF-') return { kind: 'image', format: 'pdf' }
  try {
    const { width, height, type = '' } = imageSize(head)
    return IMAGES.has(type) ? { kind: 'image', format: type, width, height } : undefined
  } catch {
    return undefined
  }
}

async function videoFacts(file: FileHandle, head: Buffer): Promise<Facts | undefined> {
  const ascii = head.subarray(0, 12).toString('latin1')
  if (ascii.slice(4, 8) === 'ftyp') {
    const format = ascii.slice(8, 10) === 'qt' ? 'mov' : 'mp4'
    return { kind: 'video', format, ...(await movieFacts(file)) }
  }
  if (head.readUInt32BE(0) === 0x1a45dfa3) {
    const format = head.subarray(0, 64).includes('webm') ? 'webm' : 'mkv'
    return { kind: 'video', format }
  }
  if (ascii.startsWith('RIFF'))
    return { kind: 'video', format: ascii.slice(8, 11).toLowerCase().trim() }
  if (ascii.startsWith('OggS')) return { kind: 'video', format: 'ogg' }
  if (ascii.startsWith('ID3')) return { kind: 'video', format: 'mp3' }
  return undefined
}

type Box = { type: string; start: number; end: number }

async function movieFacts(file: FileHandle): Promise<Omit<Facts, 'kind' | 'format'>> {
  const { size } = await file.stat()
  const movie = await findBox(file, 'moov', { type: '', start: 0, end: size })
  if (!movie) return {}
  const facts: Omit<Facts, 'kind' | 'format'> = {}
  const header = await findBox(file, 'mvhd', movie)
  if (header) {
    const data = await readAt(file, header.start, 32)
    const isLong = data[0] === 1
    const scale = data.readUInt32BE(isLong ? 20 : 12)
    const length = isLong ? Number(data.readBigUInt64BE(24)) : data.readUInt32BE(16)
    if (scale > 0) facts.duration = length / scale
  }
  const track = await findBox(file, 'trak', movie)
  const trackHeader = track && (await findBox(file, 'tkhd', track))
  if (trackHeader) {
    const size = await readAt(file, trackHeader.end - 8, 8)
    Object.assign(facts, {
      width: size.readUInt32BE(0) >>> 16,
      height: size.readUInt32BE(4) >>> 16,
    })
  }
  return facts
}

async function findBox(file: FileHandle, type: string, within: Box): Promise<Box | undefined> {
  let at = within.start
  while (at + 8 <= within.end) {
    const head = await readAt(file, at, 16)
    const short = head.readUInt32BE(0)
    const length = short === 1 ? Number(head.readBigUInt64BE(8)) : short
    if (length < 8) return undefined
    const box = {
      type: head.subarray(4, 8).toString('latin1'),
      start: at + (short === 1 ? 16 : 8),
      end: Math.min(at + length, within.end),
    }
    if (box.type === type) return box
    at = box.end
  }
  return undefined
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  // Zero-filled past the end of a short file, so that fixed offsets may be read without checks.
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, Math.max(bytesRead, 64))
}
