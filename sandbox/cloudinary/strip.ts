const NOTES_IN_PNG: ReadonlySet<string> = new Set(['eXIf', 'tEXt', 'zTXt', 'iTXt', 'tIME'])
const NOTES_IN_WEBP: ReadonlySet<string> = new Set(['EXIF', 'XMP '])

/** A picture without what a camera or an editor noted in it, as Cloudinary derives pictures. */
export function stripMetadata(image: Buffer, format: string): Buffer {
  if (format === 'jpg') return stripJpeg(image)
  if (format === 'png') return stripPng(image)
  return format === 'webp' ? stripWebp(image) : image
}

function stripJpeg(image: Buffer): Buffer {
  const kept = [image.subarray(0, 2)]
  let at = 2
  while (at + 4 <= image.length && image[at] === 0xff) {
    const marker = image[at + 1] ?? 0
    // From the start of the scan on it is all picture.
    if (marker === 0xda) break
    const end = at + 2 + image.readUInt16BE(at + 2)
    // APP1 has Exif and XMP, APP13 IPTC; a comment may hold anything. APP0 and APP2 are about the picture.
    const isNote = marker === 0xfe || (marker >= 0xe1 && marker <= 0xef && marker !== 0xe2)
    if (!isNote) kept.push(image.subarray(at, end))
    at = end
  }
  return Buffer.concat([...kept, image.subarray(at)])
}

function stripPng(image: Buffer): Buffer {
  const kept = [image.subarray(0, 8)]
  for (let at = 8; at + 12 <= image.length;) {
    const end = at + 12 + image.readUInt32BE(at)
    if (!NOTES_IN_PNG.has(image.toString('latin1', at + 4, at + 8)))
      kept.push(image.subarray(at, end))
    at = end
  }
  return Buffer.concat(kept)
}

function stripWebp(image: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let at = 12; at + 8 <= image.length;) {
    const length = image.readUInt32LE(at + 4)
    const end = at + 8 + length + (length % 2)
    if (!NOTES_IN_WEBP.has(image.toString('latin1', at, at + 4))) kept.push(image.subarray(at, end))
    at = end
  }
  const head = Buffer.from(image.subarray(0, 12))
  const body = Buffer.concat(kept)
  head.writeUInt32LE(body.length + 4, 4)
  return Buffer.concat([head, body])
}
