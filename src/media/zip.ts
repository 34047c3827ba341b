import { inflateRawSync } from 'node:zlib'
import { DomainError } from '../errors.ts'

/** Reads so many bytes from a place in a file; fewer at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>

export type ZipEntry = {
  name: string
  method: number
  packedBytes: number
  bytes: number
  /** Where the entry's own header begins. */
  at: number
}

const END = 0x06054b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
const ENTRY = 0x02014b50
const LOCAL = 0x04034b50
const END_BYTES = 22
const LOCATOR_BYTES = 20
const MOST_COMMENT = 0xffff

const MOST_ENTRIES = 10_000
const MOST_DIRECTORY_BYTES = 4 * 1024 * 1024
const MOST_UNPACKED_BYTES = 512 * 1024 * 1024

/**
 * The entries of a zip by the directory at its end, which is what programs open it by; what lies at its
 * beginning may be anything. Throws FILE_TYPE_REFUSED for what is broken, locked, or keeps two entries in one
 * place, and FILE_TOO_LARGE for what unpacks to more than half a gigabyte.
 */
export async function readDirectory(readAt: ReadAt, size: number): Promise<ZipEntry[]> {
  const { count, bytes, at } = await findDirectory(readAt, size)
  if (count > MOST_ENTRIES || bytes > MOST_DIRECTORY_BYTES) throw new DomainError('FILE_TOO_LARGE')
  if (at + bytes > size) throw refusal()
  const directory = await readAt(at, bytes)
  const entries: ZipEntry[] = []
  let start = 0
  for (let n = 0; n < count; n += 1) {
    const { entry, length } = entryAt(directory, start)
    entries.push(entry)
    start += length
  }
  const sum = (of: 'packedBytes' | 'bytes') => entries.reduce((total, one) => total + one[of], 0)
  // Of one packed piece under many names a few kilobytes make terabytes.
  if (sum('packedBytes') > size) throw refusal()
  if (sum('bytes') > MOST_UNPACKED_BYTES) throw new DomainError('FILE_TOO_LARGE')
  return entries
}

/** What an entry holds, unpacked, if that is no more than `most` bytes. Throws FILE_TYPE_REFUSED. */
export async function readEntry(readAt: ReadAt, entry: ZipEntry, most: number): Promise<Buffer> {
  if (entry.bytes > most || entry.packedBytes > most) throw refusal()
  const header = await readAt(entry.at, 30)
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL) throw refusal()
  const start = entry.at + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  const packed = await readAt(start, entry.packedBytes)
  if (entry.method === 0) return packed
  if (entry.method !== 8) throw refusal()
  try {
    return inflateRawSync(packed, { maxOutputLength: most })
  } catch {
    throw refusal()
  }
}

type Directory = { count: number; bytes: number; at: number }

async function findDirectory(readAt: ReadAt, size: number): Promise<Directory> {
  const tailStart = Math.max(0, size - END_BYTES - MOST_COMMENT)
  const tail = await readAt(tailStart, size - tailStart)
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END) continue
    // Its comment reaches to the end of the file; else it is a part of some comment.
    if (at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue
    const end = {
      count: tail.readUInt16LE(at + 10),
      bytes: tail.readUInt32LE(at + 12),
      at: tail.readUInt32LE(at + 16),
    }
    const isShort = end.count !== 0xffff && end.bytes !== 0xffffffff && end.at !== 0xffffffff
    return isShort ? end : findDirectory64(readAt, tailStart + at - LOCATOR_BYTES)
  }
  throw refusal()
}

async function findDirectory64(readAt: ReadAt, locatorAt: number): Promise<Directory> {
  const locator = await readAt(Math.max(0, locatorAt), LOCATOR_BYTES)
  if (locator.length < LOCATOR_BYTES || locator.readUInt32LE(0) !== LOCATOR_64) throw refusal()
  const end = await readAt(numberAt(locator, 8), 56)
  if (end.length < 56 || end.readUInt32LE(0) !== END_64) throw refusal()
  return { count: numberAt(end, 32), bytes: numberAt(end, 40), at: numberAt(end, 48) }
}

function entryAt(directory: Buffer, start: number): { entry: ZipEntry; length: number } {
  if (start + 46 > directory.length || directory.readUInt32LE(start) !== ENTRY) throw refusal()
  const isLocked = (directory.readUInt16LE(start + 8) & 1) === 1
  const nameBytes = directory.readUInt16LE(start + 28)
  const extraBytes = directory.readUInt16LE(start + 30)
  const length = 46 + nameBytes + extraBytes + directory.readUInt16LE(start + 32)
  if (isLocked || start + length > directory.length) throw refusal()
  const nameEnd = start + 46 + nameBytes
  const short = {
    bytes: directory.readUInt32LE(start + 24),
    packedBytes: directory.readUInt32LE(start + 20),
    at: directory.readUInt32LE(start + 42),
  }
  const entry = {
    name: directory.toString('utf8', start + 46, nameEnd),
    method: directory.readUInt16LE(start + 10),
    ...withLongNumbers(short, directory.subarray(nameEnd, nameEnd + extraBytes)),
  }
  return { entry, length }
}

type Numbers = Pick<ZipEntry, 'bytes' | 'packedBytes' | 'at'>

/** Numbers that do not fit into 32 bits stand in an extra field, those of them in this order. */
function withLongNumbers(short: Numbers, extra: Buffer): Numbers {
  const long = { ...short }
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let next = at + 4
    for (const name of ['bytes', 'packedBytes', 'at'] as const) {
      if (short[name] !== 0xffffffff) continue
      if (next + 8 > extra.length) throw refusal()
      long[name] = numberAt(extra, next)
      next += 8
    }
  }
  return long
}

function numberAt(buffer: Buffer, at: number): number {
  const number = Number(buffer.readBigUInt64LE(at))
  if (!Number.isSafeInteger(number)) throw refusal()
  return number
}

const refusal = () => new DomainError('FILE_TYPE_REFUSED')
