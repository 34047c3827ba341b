import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { refusal } from './answers.ts'
import type { ChunkSession, Cloud } from './cloud.ts'
import { keep, type ReceivedFile } from './receive.ts'

const MIN_CHUNK_BYTES = 5_000_000

export type Chunk = {
  uploadId: string
  range: string
  file: ReceivedFile
  publicId: string
  /** A fault: answered as kept, and forgotten. */
  isLost: boolean
}

/** Keeps one part; the whole file once the last part has come and none is missing. */
export async function addChunk(
  cloud: Cloud,
  chunk: Chunk,
): Promise<{ publicId: string; whole?: ReceivedFile }> {
  const { start, end, total } = parseRange(chunk.range)
  if (end - start + 1 !== chunk.file.bytes) throw refusal(400, 'Invalid Content-Range')
  if (total === undefined && chunk.file.bytes < MIN_CHUNK_BYTES) {
    throw refusal(400, 'All parts except EOF-chunk must be larger than 5mb')
  }
  const session = cloud.sessions.get(chunk.uploadId) ?? { publicId: chunk.publicId, parts: [] }
  if (session.publicId !== chunk.publicId) throw refusal(400, 'Upload id belongs to another asset')
  cloud.sessions.set(chunk.uploadId, session)
  if (chunk.isLost) await rm(chunk.file.path, { force: true })
  else await replacePart(session, { start, end, path: chunk.file.path })
  if (total === undefined || !isWhole(session, total)) return { publicId: session.publicId }
  cloud.sessions.delete(chunk.uploadId)
  const whole = await keep(readParts(session), join(cloud.store.partsDir, randomUUID()))
  return { publicId: session.publicId, whole }
}

function parseRange(range: string): { start: number; end: number; total?: number } {
  const match = /^bytes (\d+)-(\d+)\/(-1|\d+)$/.exec(range)
  if (!match) throw refusal(400, 'Invalid Content-Range')
  const [start, end, total] = match.slice(1).map(Number)
  if (start === undefined || end === undefined || total === undefined || end < start) {
    throw refusal(400, 'Invalid Content-Range')
  }
  if (total === -1) return { start, end }
  if (end + 1 !== total) throw refusal(400, 'Invalid Content-Range')
  return { start, end, total }
}

type Part = ChunkSession['parts'][number]

/** A repeated part replaces the first one, so that a client may send a chunk again. */
async function replacePart(session: ChunkSession, part: Part): Promise<void> {
  const same = session.parts.find(({ start }) => start === part.start)
  if (same) await rm(same.path, { force: true })
  session.parts = [...session.parts.filter((each) => each !== same), part].sort(
    (a, b) => a.start - b.start,
  )
}

function isWhole(session: ChunkSession, total: number): boolean {
  let next = 0
  for (const part of session.parts) {
    if (part.start !== next) return false
    next = part.end + 1
  }
  return next === total
}

function readParts(session: ChunkSession): Readable {
  return Readable.from(
    (async function* () {
      for (const { path } of session.parts) {
        yield* createReadStream(path)
        await rm(path, { force: true })
      }
    })(),
  )
}
