import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { readForm, type FormLimits } from './multipart-form.ts'

export type IncomingFile = {
  /** The first bytes, up to as many as were asked for. */
  head: Buffer
  /** The whole file, the head included. It ends only when the form around it has ended well. */
  source: Readable
  /** As its sender calls it. */
  name: string | undefined
  /** Aborts as soon as the form turns out wrong or its client is gone. */
  signal: AbortSignal
}

/** `headBytes` is how much of the file is read ahead, to know what it is before it is stored. */
type Limits = FormLimits & { headBytes: number }

/**
 * Hands the one file of a multipart form to `use` while it comes in. A second part, a broken form, a slow or
 * vanished client and a byte too many all break the source, however late they are found: so nothing that is
 * stored only at the source's end is stored of a request that is refused.
 *
 * Throws UNSUPPORTED_MEDIA_TYPE (no multipart form), MALFORMED_REQUEST (it is broken, or ended early),
 * INVALID_INPUT (it is not one file named `file`), FILE_TOO_LARGE, TOO_SLOW, and whatever `use` throws.
 */
export async function withIncomingFile<Result>(
  request: IncomingMessage,
  { headBytes, ...limits }: Limits,
  use: (file: IncomingFile) => Promise<Result>,
): Promise<Result> {
  const form = readForm(request, limits)
  try {
    const chunks = (await form.file)[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>
    const head = await readHead(chunks, headBytes)
    const source = Readable.from(joined(head, chunks), { objectMode: false })
    source.on('error', () => undefined)
    return await use({ head, source, name: form.fileName(), signal: form.signal })
  } catch (error) {
    // What went wrong with the form explains whatever came of it elsewhere.
    throw form.fault() ?? error
  } finally {
    form.stop()
  }
}

async function readHead(chunks: AsyncIterator<Buffer>, bytes: number): Promise<Buffer> {
  const head: Buffer[] = []
  for (let size = 0; size < bytes;) {
    const next = await chunks.next()
    if (next.done === true) break
    head.push(next.value)
    size += next.value.length
  }
  return Buffer.concat(head)
}

async function* joined(
  head: Buffer,
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, void> {
  if (head.length > 0) yield head
  yield* rest
}
