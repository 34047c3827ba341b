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
    let bytes = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > most) throw failure('refused', { status: 413 })
      yield chunk
    }
  } catch (error) {
    if (isCloudinaryFailure(error)) throw error
    throw failure(signal.aborted ? 'timeout' : 'unreachable')
  }
}
