import { Readable } from 'node:stream'
import type { Account, AssetRef } from './account.ts'
import { failure, isCloudinaryFailure } from './failure.ts'
import { playbackUrl } from './links.ts'

const LINK_MS = 60_000

/**
 * What is stored, `most` bytes at the most: Cloudinary itself looks into no raw file. The stream breaks with a
 * CloudinaryFailure, `refused` where there is more.
 */
export function readContent(account: Account, asset: AssetRef, most: number): Readable {
  return Readable.from(chunksOf(account, asset, most), { objectMode: false })
}

async function* chunksOf(
  account: Account,
  asset: AssetRef,
  most: number,
): AsyncGenerator<Uint8Array, void, void> {
  const expiresAt = new Date(account.now().getTime() + LINK_MS)
  const url = playbackUrl(account, { ...asset, format: '', expiresAt })
  const signal = AbortSignal.timeout(account.timeoutMs)
  try {
    // The link is ours to Cloudinary alone: a redirect would have this server ask whomever it names.
    const response = await fetch(url, { signal, redirect: 'manual' })
    if (!response.ok || !response.body) {
      await response.body?.cancel()
      throw failure('server', { status: response.status })
    }
    yield* atMost(response.body.getReader(), most)
  } catch (error) {
    if (isCloudinaryFailure(error)) throw error
    throw failure(signal.aborted ? 'timeout' : 'unreachable')
  }
}

// By its reader: in a browser's types, which a frontend that imports ours has, a stream cannot be iterated.
async function* atMost(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytes += read.value.length
      if (bytes > most) throw failure('refused', { status: 413 })
      yield read.value
    }
  } finally {
    await reader.cancel()
  }
}
