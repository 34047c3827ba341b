import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = path.resolve(import.meta.dirname, '../src')
const DOORS = /\/(\w+-)?(router|webhook|webhooks|upload|receipt|procedure)s?\.ts$/
// A room may import those to its left; `mail` is a leaf that anyone may import.
const ORDER = ['auth', 'courses', 'media', 'learning', 'orders']
const MAY_IMPORT: Record<string, string[]> = {
  mail: [],
  users: ['auth', 'mail'],
  ...Object.fromEntries(ORDER.map((room, at) => [room, [...ORDER.slice(0, at), 'mail']])),
}

// The clock itself, Lucia's border, and the limiter, whose window the library times by the wall clock.
const CLOCK_READERS = ['auth/session-store.ts', 'deps.ts', 'http/limits.ts']

// A folder of the spine, not a room: everything between the socket and a procedure.
const SPINE = 'http'

type Source = { name: string; room: string | null; text: string; imports: string[] }

const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    const text = readFileSync(path.join(SRC, name), 'utf8')
    const [folder] = name.split('/')
    const room = folder === undefined || folder === name || folder === SPINE ? null : folder
    const imports = [...text.matchAll(/(?:from|import)\s*\(?'([^']+)'/g)].map(
      (match) => match[1] ?? '',
    )
    return { name, room, text, imports }
  })

const offenders = (breaks: (source: Source) => boolean) =>
  sources.filter(breaks).map(({ name }) => name)

/** The path of an import inside src, such as `orders/checkout.ts`, or null. */
function insideOf(source: Source, imported: string): string | null {
  if (!imported.startsWith('.')) return null
  return path.relative(SRC, path.resolve(SRC, path.dirname(source.name), imported))
}

describe('the house', () => {
  it('reads every source file', () => {
    expect(sources.length).toBeGreaterThan(40)
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(150)
  })

  it('speaks tRPC and Express only at its doors and on its spine', () => {
    const speaks = ({ imports }: Source) =>
      imports.some((name) => name === 'express' || name.startsWith('@trpc/server'))
    expect(
      offenders(
        (source) => source.room !== null && speaks(source) && !DOORS.test(`/${source.name}`),
      ),
    ).toEqual([])
  })

  it('reads the environment in one place', () => {
    expect(offenders(({ text }) => text.includes('process.env'))).toEqual(['config.ts'])
  })

  it('tells the time by the injected clock', () => {
    const reads = offenders(({ text }) => /\bDate\.now\(|new Date\(\)/.test(text))
    expect(reads.sort()).toEqual(CLOCK_READERS)
  })

  it('never leans on the sandbox, the tests or the benchmark', () => {
    const leans = (source: Source) =>
      source.imports.some((name) =>
        /^\.\.\/(sandbox|tests|bench|examples)\b/.test(insideOf(source, name) ?? ''),
      )
    expect(offenders(leans)).toEqual([])
  })

  it('has rooms that depend one way', () => {
    const wrong = sources.flatMap((source) =>
      source.imports.flatMap((name) => {
        const [room] = (insideOf(source, name) ?? '').split('/')
        const isRoom = room !== undefined && room in MAY_IMPORT && room !== source.room
        return isRoom && source.room !== null && !MAY_IMPORT[source.room]?.includes(room)
          ? [`${source.name} imports ${name}`]
          : []
      }),
    )
    expect(wrong).toEqual([])
  })

  it('knows every room', () => {
    const rooms = [...new Set(sources.flatMap(({ room }) => room ?? []))].sort()
    expect(rooms).toEqual(Object.keys(MAY_IMPORT).sort())
  })

  it('keeps its files short', () => {
    expect(offenders(({ text }) => text.split('\n').length > 250)).toEqual([])
  })

  it('disables nothing in the linter and trusts no untyped value', () => {
    expect(
      offenders(({ text }) =>
        /eslint-disable|@ts-(ignore|expect-error|nocheck)|\bas any\b|: any\b/.test(text),
      ),
    ).toEqual([])
  })
})
