import { crc32, deflateRawSync } from 'node:zlib'

export type Packed = {
  name: string
  content: Buffer | string
  isStored?: boolean
  /** What the directory says it unpacks to, true or not. */
  claimedBytes?: number
}

type Options = { comment?: string; isLong?: boolean; isLocked?: boolean }

/** A zip written by hand, its entries in this order; `isLong` with its numbers in the fields of zip64. */
export function zipOf(
  entries: Packed[],
  { comment = '', isLong = false, isLocked = false }: Options = {},
): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, content, isStored = false, claimedBytes } of entries) {
    const raw = Buffer.from(content)
    const packed = isStored ? raw : deflateRawSync(raw)
    const bytes = claimedBytes ?? raw.length
    const shared = Buffer.alloc(26)
    shared.writeUInt16LE(20, 0)
    shared.writeUInt16LE(isLocked ? 1 : 0, 2)
    shared.writeUInt16LE(isStored ? 0 : 8, 4)
    shared.writeUInt32LE(crc32(raw), 10)
    shared.writeUInt32LE(packed.length, 14)
    shared.writeUInt32LE(bytes, 18)
    shared.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name), packed])
    const entry = Buffer.alloc(16)
    const extra = isLong ? longNumbers(bytes, packed.length, at) : Buffer.alloc(0)
    entry.writeUInt32LE(isLong ? 0xffffffff : at, 12)
    if (isLong) {
      shared.writeUInt32LE(0xffffffff, 14)
      shared.writeUInt32LE(0xffffffff, 18)
      shared.writeUInt16LE(extra.length, 24)
    }
    const head = [
      Buffer.from('PK\x01\x02\x14\x00'),
      shared,
      entry.subarray(2),
      Buffer.from(name),
      extra,
    ]
    directory.push(...head)
    parts.push(local)
    at += local.length
  }
  const listed = Buffer.concat(directory)
  return Buffer.concat([
    ...parts,
    listed,
    endOf({ count: entries.length, at, listed, comment, isLong }),
  ])
}

function longNumbers(...numbers: number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * numbers.length)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8 * numbers.length, 2)
  for (const [n, number] of numbers.entries()) extra.writeBigUInt64LE(BigInt(number), 4 + 8 * n)
  return extra
}

type End = { count: number; at: number; listed: Buffer; comment: string; isLong: boolean }

function endOf({ count, at, listed, comment, isLong }: End): Buffer {
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(isLong ? 0xffff : count, 8)
  end.writeUInt16LE(isLong ? 0xffff : count, 10)
  end.writeUInt32LE(isLong ? 0xffffffff : listed.length, 12)
  end.writeUInt32LE(isLong ? 0xffffffff : at, 16)
  end.writeUInt16LE(Buffer.byteLength(comment), 20)
  if (!isLong) return Buffer.concat([end, Buffer.from(comment)])
  const long = Buffer.alloc(56)
  long.write('PK\x06\x06', 'latin1')
  long.writeBigUInt64LE(44n, 4)
  for (const [place, number] of [count, count, listed.length, at].entries())
    long.writeBigUInt64LE(BigInt(number), 24 + 8 * place)
  const locator = Buffer.alloc(20)
  locator.write('PK\x06\x07', 'latin1')
  locator.writeBigUInt64LE(BigInt(at + listed.length), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([long, locator, end, Buffer.from(comment)])
}

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const MAIN = {
  docx: ['/word/document.xml', `${OFFICE}.wordprocessingml.document.main+xml`],
  pptx: ['/ppt/presentation.xml', `${OFFICE}.presentationml.presentation.main+xml`],
  xlsx: ['/xl/workbook.xml', `${OFFICE}.spreadsheetml.sheet.main+xml`],
} as const

export type OfficeFormat = keyof typeof MAIN

export function typesPart(format: OfficeFormat, type?: string): Packed {
  const [part, own] = MAIN[format]
  return {
    name: '[Content_Types].xml',
    content: `<?xml version="1.0"?><Types><Override PartName="${part}" ContentType="${type ?? own}"/></Types>`,
  }
}

/** A document as some programs write it: a picture of so many bytes first, and its types last. */
export const officeFile = (
  format: OfficeFormat,
  pictureBytes = 1_100_000,
  more: Packed[] = [],
): Packed[] => [
  {
    name: `${format}-media/image1.png`,
    content: Buffer.alloc(pictureBytes, 'picture'),
    isStored: true,
  },
  { name: MAIN[format][0].slice(1), content: '<xml/>' },
  ...more,
  typesPart(format),
]
