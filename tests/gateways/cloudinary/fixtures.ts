import { Readable } from 'node:stream'

import { startCloudinary, type CloudinarySandbox } from '../../../sandbox/cloudinary/server.ts'
import { openCloudinary, type Cloudinary } from '../../../src/gateways/cloudinary/client.ts'
import { openClock, type Clock } from '../../support/clock.ts'
import { closeAfterwards } from '../../support/closing.ts'

export const SECRET = 'a-secret-nobody-may-see'

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
  closeAfterwards(() => sandbox.close())
  const cloudinary = openCloudinary({ url: sandbox.cloudinaryUrl, now: clock.now })
  return { sandbox, cloudinary, clock }
}

/** The same account, with less patience. */
export function impatient({ sandbox, clock }: Studio, timeoutMs = 300): Cloudinary {
  return openCloudinary({ url: sandbox.cloudinaryUrl, now: clock.now, timeoutMs })
}
