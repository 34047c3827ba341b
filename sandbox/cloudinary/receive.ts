import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import busboy from 'busboy'
import { refusal } from './answers.ts'
import type { Params } from './sign.ts'

export type ReceivedFile = { path: string; bytes: number; etag: string }
export type Form = { params: Params; file?: ReceivedFile }

/** A form with its file streamed to `dir`; nothing stays there when the client leaves half-way. */
export async function receiveForm(request: IncomingMessage, dir: string): Promise<Form> {
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return { params: paramsOf(new URLSearchParams(await textOf(request))) }
  }
  const parser = openParser(request)
  const pairs: [string, string][] = []
  let file: Promise<ReceivedFile> | undefined
  parser.on('field', (name, value) => pairs.push([name, value]))
  parser.on('file', (name, stream) => {
    if (name === 'file' && !file) {
      file = keep(stream, join(dir, randomUUID()))
      // Awaited below, after the form; without this an early failure would count as unhandled.
      file.catch(() => undefined)
    } else {
      stream.resume()
    }
  })
  try {
    await pipeline(request, parser)
  } catch (error) {
    const path = (await file?.catch(() => undefined))?.path
    if (path) await rm(path, { force: true })
    throw request.destroyed ? error : refusal(400, 'Invalid multipart form')
  }
  const received = await file
  return { params: paramsOf(pairs), ...(received && { file: received }) }
}

function openParser(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({ headers: request.headers, defParamCharset: 'utf8' })
  } catch {
    throw refusal(400, 'Invalid multipart form')
  }
}

/** `tags[]` sent several times is one parameter, joined as it was signed. */
export function paramsOf(pairs: Iterable<[string, string]>): Params {
  const params: Record<string, string> = {}
  for (const [name, value] of pairs) {
    const key = name.replace(/\[\]$/, '')
    const previous = params[key]
    params[key] = previous === undefined ? value : `${previous},${value}`
  }
  return params
}

export async function keep(source: Readable, path: string): Promise<ReceivedFile> {
  const hash = createHash('md5')
  let bytes = 0
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      hash.update(chunk)
      done(null, chunk)
    },
  })
  try {
    await pipeline(source, meter, createWriteStream(path))
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return { path, bytes, etag: hash.digest('hex') }
}

export async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
