import { randomUUID } from 'node:crypto'
import { addAbortSignal, finished, type Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { v2 as cloudinary } from 'cloudinary'
import {
  callSdk,
  checkPublicId,
  readAsset,
  timestampOf,
  type Account,
  type AssetRef,
  type StoredAsset,
} from './account.ts'
import { failure, toFailure } from './failure.ts'

// Cloudinary takes no more than about 100 MB in one request and no chunk but the last under 5 MB.
// One chunk is all that an upload ever holds in memory.
const CHUNK_BYTES = 8 * 1024 * 1024
const PAUSES_MS = [100, 400]

export type UploadTarget = AssetRef & { signal?: AbortSignal; maxBytes?: number }

/**
 * Reads the source chunk by chunk, no faster than Cloudinary takes them. Nothing is stored before
 * the last chunk, so a source that breaks leaves nothing behind; and a repeated upload overwrites
 * the same public id, so a lost answer orphans nothing.
 */
export async function uploadStream(
  account: Account,
  source: Readable,
  target: UploadTarget,
): Promise<StoredAsset> {
  checkPublicId(target.publicId)
  const gone = new AbortController()
  const unwatch = finished(source, { writable: false }, (error) => {
    if (error) gone.abort()
  })
  const signal = target.signal ? AbortSignal.any([gone.signal, target.signal]) : gone.signal
  addAbortSignal(signal, source)
  try {
    return await sendAll({ account, target, signal, uploadId: randomUUID() }, source)
  } catch (error) {
    if (signal.aborted) throw failure('aborted')
    throw toFailure(error)
  } finally {
    unwatch()
  }
}

type Transfer = { account: Account; target: UploadTarget; signal: AbortSignal; uploadId: string }
type Chunk = { parts: Buffer[]; start: number; bytes: number; isLast: boolean }

async function sendAll(transfer: Transfer, source: Readable): Promise<StoredAsset> {
  for await (const chunk of readChunks(source, transfer.target.maxBytes ?? Infinity)) {
    const answer = await sendWithRetries(transfer, chunk)
    if (!chunk.isLast) continue
    const asset = readAsset(answer, transfer.target)
    // A multipart boundary of the SDK may be a few characters long and occur in the file.
    if (asset.bytes !== chunk.start + chunk.bytes)
      throw failure('nonsense', { detail: 'cut short' })
    return asset
  }
  throw failure('aborted')
}

/** Looks one byte ahead, because a chunk must say whether it is the last one. */
async function* readChunks(
  source: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Chunk, void, void> {
  let [parts, bytes, start]: [Buffer[], number, number] = [[], 0, 0]
  for await (const data of source) {
    if (start + bytes + data.length > maxBytes) {
      throw failure('refused', { status: 413, detail: 'the file is too large' })
    }
    let rest = data
    while (bytes + rest.length > CHUNK_BYTES) {
      const taken = CHUNK_BYTES - bytes
      parts.push(rest.subarray(0, taken))
      yield { parts, start, bytes: CHUNK_BYTES, isLast: false }
      rest = rest.subarray(taken)
      ;[parts, bytes, start] = [[], 0, start + CHUNK_BYTES]
    }
    parts.push(rest)
    bytes += rest.length
  }
  yield { parts, start, bytes, isLast: true }
}

async function sendWithRetries(transfer: Transfer, chunk: Chunk): Promise<unknown> {
  for (const milliseconds of PAUSES_MS) {
    try {
      return await send(transfer, chunk)
    } catch (error) {
      if (!isRepeatable(toFailure(error).kind, chunk)) throw error
      await pause(milliseconds, undefined, { signal: transfer.signal })
    }
  }
  return send(transfer, chunk)
}

// A last chunk of several may have completed the upload before its answer was lost; sent again it
// would begin another upload under the same id. The whole is then repeated by whoever asked.
function isRepeatable(kind: string, chunk: Chunk): boolean {
  if (kind === 'throttled') return true
  const completesMany = chunk.isLast && chunk.start > 0
  return (kind === 'unreachable' || kind === 'server') && !completesMany
}

async function send(transfer: Transfer, chunk: Chunk): Promise<unknown> {
  const { account, target, signal, uploadId } = transfer
  const end = chunk.start + chunk.bytes
  const isWhole = chunk.isLast && chunk.start === 0
  return callSdk(account, { timeoutMs: account.timeoutMs, signal }, (options) => {
    return new Promise((resolve, reject) => {
      const upload = cloudinary.uploader.upload_stream(
        {
          ...options,
          public_id: target.publicId,
          resource_type: target.resourceType,
          type: target.deliveryType,
          overwrite: true,
          invalidate: true,
          timestamp: timestampOf(account.now()),
          ...(!isWhole && {
            // Of our own: the SDK's random ids are short, repeat, and are empty at times.
            x_unique_upload_id: uploadId,
            content_range: `bytes ${chunk.start}-${end - 1}/${chunk.isLast ? end : -1}`,
          }),
        },
        (error, result) => {
          if (error) reject(toFailure(error))
          else resolve(result)
        },
      )
      // The callback tells of every failure; without a listener the stream would tell it again by
      // ending the process.
      upload.on('error', () => undefined)
      for (const part of chunk.parts) upload.write(part)
      upload.end()
    })
  })
}
