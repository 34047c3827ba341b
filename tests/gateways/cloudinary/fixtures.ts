import { Readable } from 'node:stream'

import { startCloudinary, type CloudinarySandbox } from '../../../sandbox/cloudinary/server.ts'
import { openCloudinary, type Cloudinary } from '../../../src/gateways/cloudinary/client.ts'
import { openClock, type Clock } from '../../support/clock.ts'
import { closeWithFile } from '../../support/closing.ts'

export const SECRET = 'a-secret-nobody-may-see'

export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
)

/** A movie of 640 × 360 that says it lasts `seconds`, padded to `bytes`. */
export function mp4(seconds: number, bytes = 1000): Buffer {
  const movieHeader = Buffer.alloc(100)
  movieHeader.writeUInt32BE(1000, 12)
  movieHeader.writeUInt32BE(seconds * 1000, 16)
  const trackHeader = Buffer.alloc(84)
  trackHeader.writeUInt32BE(640 << 16, 76)
  trackHeader.writeUInt32BE(360 << 16, 80)
  const head = Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\0\0isom')),
    box('moov', Buffer.concat([box('mvhd', movieHeader), box('trak', box('tkhd', trackHeader))])),
  ])
  return Buffer.concat([head, box('mdat', Buffer.alloc(bytes - head.length - 8, 'data'))])
}

function box(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(content.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, content])
}

/** As a request delivers it: in pieces, and no faster than it is read. */
export function streamOf(data: Buffer): Readable {
  return Readable.from(pieces(data), { objectMode: false })
}

function* pieces(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 65_536) yield data.subarray(at, at + 65_536)
}

export type Studio = { sandbox: CloudinarySandbox; cloudinary: Cloudinary; clock: Clock }

/** A Cloudinary of its own per file, and the gateway to it. */
export async function openStudio(): Promise<Studio> {
  const clock = openClock()
  const sandbox = await startCloudinary({
    cloudName: 'studio',
    apiKey: '998877',
    apiSecret: SECRET,
    now: clock.now,
  })
  closeWithFile(() => sandbox.close())
  const cloudinary = openCloudinary({ url: sandbox.cloudinaryUrl, now: clock.now })
  return { sandbox, cloudinary, clock }
}

/** The same account, with less patience. */
export function impatient({ sandbox, clock }: Studio, timeoutMs = 300): Cloudinary {
  return openCloudinary({ url: sandbox.cloudinaryUrl, now: clock.now, timeoutMs })
}
