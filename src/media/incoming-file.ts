import type { IncomingMessage } from 'node:http'
import { Readable, Transform } from 'node:stream'
import busboy from 'busboy'
import { DomainError, type Reason } from '../errors.ts'
import type { MinimumRate } from '../http/timeouts.ts'
import { watchMinimumRate } from './minimum-rate.ts'

export type IncomingFile = {
  /** The first bytes, up to as many as were asked for. */
  head: Buffer
  /** The whole file, the head included. It ends only when the form around it has ended well. */
  source: Readable
  /** Aborts as soon as the form turns out wrong or its sender is gone. */
  signal: AbortSignal
}

type Limits = { maxBytes: number; headBytes: number; pace: MinimumRate }

/**
 * Hands the one file of a multipart form to `use` while it comes in. A second part, a broken form, a slow or
 * vanished sender and a byte too many all break the source, however late they are found: so nothing that is
 * stored only at the source's end is stored of a request that is refused.
 */
export async function withIncomingFile<Result>(
  request: IncomingMessage,
  { headBytes, ...limits }: Limits,
  use: (file: IncomingFile) => Promise<Result>,
): Promise<Result> {
  const form = readForm(request, limits)
  try {
    const chunks = (await form.file)[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>
    const head = await takeHead(chunks, headBytes)
    const source = Readable.from(joined(head, chunks), { objectMode: false })
    source.on('error', () => undefined)
    return await use({ head, source, signal: form.signal })
  } catch (error) {
    // What went wrong with the form explains whatever came of it elsewhere.
    throw form.fault() ?? error
  } finally {
    form.stop()
  }
}

async function takeHead(chunks: AsyncIterator<Buffer>, bytes: number): Promise<Buffer> {
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

function readForm(request: IncomingMessage, { maxBytes, pace }: Omit<Limits, 'headBytes'>) {
  const parser = openParser(request)
  const aborter = new AbortController()
  const started = Promise.withResolvers<Readable>()
  const ended = Promise.withResolvers<undefined>()
  // Either may fail while nobody waits for it any more.
  started.promise.catch(() => undefined)
  ended.promise.catch(() => undefined)
  let fault: DomainError | null = null
  let isSeen = false

  const fail = (reason: Reason, message?: string) => {
    if (fault) return
    const issues = message === undefined ? [] : [{ path: 'file', message }]
    fault = new DomainError(reason, { issues })
    request.unpipe(parser)
    gate.destroy(fault)
    started.reject(fault)
    ended.reject(fault)
    aborter.abort(fault)
  }
  const gate = meter(maxBytes, ended.promise, () => {
    fail('FILE_TOO_LARGE')
  })
  gate.on('error', () => undefined)

  parser.on('file', (name, stream) => {
    isSeen = true
    if (name !== 'file') fail('INVALID_INPUT', 'the one part must have this name')
    stream.on('error', () => {
      fail('MALFORMED_REQUEST')
    })
    stream.pipe(gate)
    started.resolve(gate)
  })
  parser.on('filesLimit', () => {
    fail('INVALID_INPUT', 'may be given once')
  })
  parser.on('fieldsLimit', () => {
    fail('INVALID_INPUT', 'may be the only part')
  })
  parser.on('error', () => {
    fail('MALFORMED_REQUEST')
  })
  parser.on('close', () => {
    if (isSeen) ended.resolve(undefined)
    else fail('INVALID_INPUT', 'is missing')
  })
  const onGone = () => {
    if (!request.complete) fail('MALFORMED_REQUEST')
  }
  request.on('error', onGone).on('close', onGone).pipe(parser)
  const onSlow = () => {
    fail('TOO_SLOW')
  }
  const stopWatching = watchMinimumRate(request, onSlow, pace)
  return {
    file: started.promise,
    signal: aborter.signal,
    fault: () => fault,
    stop: () => {
      stopWatching()
      request.unpipe(parser)
      gate.destroy()
    },
  }
}

function openParser(request: IncomingMessage): busboy.Busboy {
  const { headers } = request
  if (!/^multipart\/form-data\s*(;|$)/i.test(headers['content-type'] ?? ''))
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE')
  try {
    return busboy({ headers, limits: { files: 1, fields: 0, headerPairs: 20 } })
  } catch {
    throw new DomainError('MALFORMED_REQUEST')
  }
}

/** Counts, and holds the end back until the whole form has come. */
function meter(maxBytes: number, formEnds: Promise<unknown>, onTooMany: () => void): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBytes) onTooMany()
      else done(null, chunk)
    },
    flush(done) {
      formEnds.then(
        () => {
          done()
        },
        () => {
          done(new Error('the form is broken'))
        },
      )
    },
  })
}
