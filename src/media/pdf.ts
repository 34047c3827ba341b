import { inflateSync } from 'node:zlib'
import { DomainError } from '../errors.ts'
import type { ReadAt } from './zip.ts'

const CHUNK = 1024 * 1024
const OVERLAP = 256
const MOST_PACKED = 4 * 1024 * 1024
const MOST_UNPACKED = 16 * 1024 * 1024
const MOST_UNPACKED_IN_ALL = 128 * 1024 * 1024

/** A name of PDF, any character of which may be written as `#4a`. */
const nameOf = (name: string): string =>
  Array.from(name, (letter) => {
    const hex = letter.charCodeAt(0).toString(16)
    return `(?:${letter}|#${hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)})`
  }).join('')

// A script is an action of this kind, and so is a program that is started.
const PROGRAM = new RegExp(`/(?:${nameOf('JavaScript')}|${nameOf('Launch')})(?![A-Za-z0-9#])`)
const OBJECT_STREAM = new RegExp(`/${nameOf('ObjStm')}(?![A-Za-z0-9#])`, 'g')

/**
 * Throws FILE_TYPE_REFUSED for a PDF that brings a script or starts a program, as far as it says so in the open
 * or in packed objects. One that is locked, or means to hide it, can: so every handout is a download.
 */
export async function refuseActivePdf(readAt: ReadAt, size: number): Promise<void> {
  let left = MOST_UNPACKED_IN_ALL
  for (let at = 0; at < size; at += CHUNK) {
    const chunk = (await readAt(at, CHUNK + OVERLAP)).toString('latin1')
    if (PROGRAM.test(chunk)) throw new DomainError('FILE_TYPE_REFUSED')
    for (const { index } of chunk.matchAll(OBJECT_STREAM)) {
      if (index >= CHUNK || left <= 0) break
      const objects = await unpack(readAt, at + index)
      left -= objects.length
      if (PROGRAM.test(objects.toString('latin1'))) throw new DomainError('FILE_TYPE_REFUSED')
    }
  }
}

/** The objects packed in the stream whose description has this place in it; nothing where it cannot be read. */
async function unpack(readAt: ReadAt, near: number): Promise<Buffer> {
  const head = (await readAt(near, 2_048)).toString('latin1')
  const opening = /stream\r?\n/.exec(head)
  if (!opening) return Buffer.alloc(0)
  const packed = await readAt(near + opening.index + opening[0].length, MOST_PACKED)
  const end = packed.indexOf('endstream')
  try {
    // What follows the packed bytes, such as a line break, is passed over.
    return inflateSync(end === -1 ? packed : packed.subarray(0, end), {
      maxOutputLength: MOST_UNPACKED,
    })
  } catch {
    return Buffer.alloc(0)
  }
}
