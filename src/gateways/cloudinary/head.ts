import type { Account, AssetRef } from './account.ts'
import { failure, isCloudinaryFailure } from './failure.ts'
import { playbackUrl } from './links.ts'

const TIMEOUT_MS = 10_000
const LINK_MS = 60_000

/** The first bytes of what is stored, `most` at the most: Cloudinary itself looks into no raw file. */
export async function readHead(account: Account, asset: AssetRef, most: number): Promise<Buffer> {
  const expiresAt = new Date(account.now().getTime() + LINK_MS)
  const url = playbackUrl(account, { ...asset, format: '', expiresAt })
  const signal = AbortSignal.timeout(Math.min(account.timeoutMs, TIMEOUT_MS))
  try {
    const headers = { range: `bytes=0-${most - 1}` }
    // The link is ours to Cloudinary alone: a redirect would have this server ask whomever it names.
    const response = await fetch(url, { headers, signal, redirect: 'manual' })
    if (!response.ok) {
      await response.body?.cancel()
      throw failure('server', { status: response.status })
    }
    return await firstBytes(response, most)
  } catch (error) {
    if (isCloudinaryFailure(error)) throw error
    throw failure(signal.aborted ? 'timeout' : 'unreachable')
  }
}

/** A range is a wish: who answers with the whole file is read no further. */
async function firstBytes({ body }: Response, most: number): Promise<Buffer> {
  const reader = body?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (reader && length < most) {
    const chunk: { done: boolean; value?: Uint8Array | undefined } = await reader.read()
    if (chunk.done || chunk.value === undefined) break
    chunks.push(chunk.value)
    length += chunk.value.length
  }
  await reader?.cancel()
  return Buffer.concat(chunks).subarray(0, most)
}
