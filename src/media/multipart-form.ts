import type { IncomingMessage } from 'node:http'
import { Transform, type Readable } from 'node:stream'
import busboy from 'busboy'
import { DomainError, type Reason } from '../errors.ts'
import type { MinimumRate } from '../http/timeouts.ts'
import { watchMinimumRate } from './minimum-rate.ts'

export type FormLimits = {
  maxBytes: number
  minimumRate: MinimumRate
  /** Aborts where the place is needed for somebody else. */
  displaced: AbortSignal
}

const DISPLACED_RETRY_SECONDS = 30

type MultipartForm = {
  /** The file's bytes, once the file has begun. */
  file: Promise<Readable>
  /** Aborts with the fault. */
  signal: AbortSignal
  /** What is wrong with the form, if anything was found to be. */
  fault: () => DomainError | null
  /** Ends reading and watching. */
  stop: () => void
}

/**
 * Reads a form of one file named `file` from the request; the first fault found breaks everything at once.
 */
export function readForm(
  request: IncomingMessage,
  { maxBytes, minimumRate, displaced }: FormLimits,
): MultipartForm {
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
    const issues = message === undefined ? [] : [{ path: 'file', message }]
    failWith(new DomainError(reason, { issues }))
  }
  const failWith = (found: DomainError) => {
    if (fault) return
    fault = found
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
  const stopWatching = watchMinimumRate(request, onSlow, minimumRate)
  const onDisplaced = () => {
    failWith(new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds: DISPLACED_RETRY_SECONDS }))
  }
  displaced.addEventListener('abort', onDisplaced, { once: true })
  if (displaced.aborted) onDisplaced()
  return {
    file: started.promise,
    signal: aborter.signal,
    fault: () => fault,
    stop: () => {
      stopWatching()
      displaced.removeEventListener('abort', onDisplaced)
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

/** Counts the file's bytes, and holds its end back until the whole form has come. */
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
