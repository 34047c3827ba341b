// The smallest files that are what they claim to be.

/** One pixel. */
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

export const PDF = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n')

/** One pixel by a camera that noted its owner, its serial number and where it was. */
export const PHOTOGRAPH = Buffer.from(
  [
    '/9j/4AAQSkZJRgABAQEASABIAAD/4QEKRXhpZgAASUkqAAgAAAAEAA8BAgAGAAAAPgAAADsBAgAJAAAARAAAAGmHBAAB',
    'AAAATgAAACWIBAABAAAAaAAAAAAAAABDYW5vbgBBc2hhIFJhbwAAAQAxpAIACAAAAGAAAAAAAAAAU04tMDA0MgAGAAAA',
    'AQAEAAAAAgMAAAEAAgACAAAATgAAAAIABQADAAAAtgAAAAMAAgACAAAARQAAAAQABQADAAAAzgAAABwABwAbAAAA5gAA',
    'AAAAAADA1AEAECcAAKDZCAAQJwAAwNQBABAnAADQvwsAECcAADBXBQAQJwAAgKkDABAnAABBU0NJSQAAAEdQUyAxMi45',
    'NyBOIDc3LjU5IEUA/+EARGh0dHA6Ly9ucy5hZG9iZS5jb20veGFwLzEuMC8APHg6eG1wbWV0YSB4bWxuczp4PSJhZG9i',
    'ZTpuczptZXRhLyIvPv/+AApBc2hhIFJhb//bAEMA////////////////////////////////////////////////////',
    '///////////////////////////////////CAAsIAAEAAQEBEQD/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAE/',
    'EP/Z',
  ].join(''),
  'base64',
)
