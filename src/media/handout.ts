import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { FileToScan } from '../gateways/file-scanner.ts'
import { formatOfZip } from './office.ts'
import { refuseActivePdf } from './pdf.ts'
import type { ReadAt } from './zip.ts'

const HEAD_BYTES = 1024

/**
 * Keeps a handout on disk while it is looked at: what a zip is stands at its end, and a scanner wants it whole.
 * Nobody else reads it there, and it goes with `use`.
 *
 * Throws FILE_TYPE_REFUSED or FILE_TOO_LARGE for what may not be stored, UNAVAILABLE where the scanner does not
 * answer, whatever the source breaks with, and whatever `use` throws.
 */
export async function withHandout<Result>(
  deps: Uses<'scanFile' | 'log'>,
  source: Readable,
  use: (file: FileToScan) => Promise<Result>,
): Promise<Result> {
  const path = join(tmpdir(), `gurukul-${randomUUID()}`)
  try {
    await pipeline(source, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
    const file = { path, format: await formatOf(path) }
    await refuseInfected(deps, file)
    return await use(file)
  } finally {
    await rm(path, { force: true })
  }
}

/** What a handout is, by all of it; its name and declared type say nothing. */
async function formatOf(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const readAt: ReadAt = async (position, length) => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - position)))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
      return buffer.subarray(0, bytesRead)
    }
    const head = (await readAt(0, HEAD_BYTES)).toString('latin1')
    if (head.startsWith('PK\u0003\u0004')) return await formatOfZip(readAt, size)
    if (!head.startsWith('%PDF-')) throw new DomainError('FILE_TYPE_REFUSED')
    await refuseActivePdf(readAt, size)
    return 'pdf'
  } finally {
    await file.close()
  }
}

async function refuseInfected(
  { scanFile, log }: Uses<'scanFile' | 'log'>,
  file: FileToScan,
): Promise<void> {
  const verdict = await scanFile(file).catch((error: unknown) => {
    log.error({ err: error }, 'a file could not be scanned')
    throw new DomainError('UNAVAILABLE', { cause: error, retryAfterSeconds: 60 })
  })
  if (verdict === null) return
  log.warn({ found: verdict.found }, 'a harmful file was refused')
  throw new DomainError('FILE_TYPE_REFUSED')
}
