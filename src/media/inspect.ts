import { fileTypeFromBuffer } from 'file-type'
import { imageSize } from 'image-size'
import { DomainError } from '../errors.ts'
import { MAX_PIXELS, UPLOAD_RULES, type Purpose } from './purposes.ts'

/** Enough for a photograph's own metadata, which come before its size. */
export const HEAD_BYTES = 512 * 1024

// A file that is a picture to us and a page to a browser that guesses.
const PAGE = /<(!doctype\s+html|html|head|body|script|iframe|svg)[\s>/]/i

/**
 * What a picture or a video is, by its first bytes (HEAD_BYTES of them); its name and declared type say nothing.
 * Throws
 * FILE_TYPE_REFUSED for what its purpose does not take, FILE_TOO_LARGE for a picture of too many pixels.
 */
export async function inspect(head: Buffer, purpose: Purpose): Promise<{ format: string }> {
  const { formats, resourceType } = UPLOAD_RULES[purpose]
  const format = (await fileTypeFromBuffer(head))?.ext
  if (format === undefined || !formats.includes(format)) throw new DomainError('FILE_TYPE_REFUSED')
  if (PAGE.test(head.toString('latin1'))) throw new DomainError('FILE_TYPE_REFUSED')
  if (resourceType === 'image') checkPixels(head)
  return { format }
}

/** A small file can decode to gigabytes of pixels; its header tells how many before anybody decodes it. */
function checkPixels(head: Buffer): void {
  const size = sizeOf(head)
  if (!size || size.width < 1 || size.height < 1) throw new DomainError('FILE_TYPE_REFUSED')
  if (size.width * size.height > MAX_PIXELS) throw new DomainError('FILE_TOO_LARGE')
}

function sizeOf(head: Buffer): { width: number; height: number } | null {
  try {
    return imageSize(head)
  } catch {
    return null
  }
}
