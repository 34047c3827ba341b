import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { describe, expect, it } from 'vitest'
import { ROOMS, rules } from '../rooms.config.ts'

const SRC = path.resolve(import.meta.dirname, '../src')

// The clock itself, Lucia's border, and the limiter, whose window the library times by the wall clock.
const CLOCK_READERS = ['auth/session-store.ts', 'deps.ts', 'http/call-limit.ts']

type Source = { name: string; text: string }

const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    return { name, text: readFileSync(path.join(SRC, name), 'utf8') }
  })

const offenders = (breaks: (source: Source) => boolean) =>
  sources.filter(breaks).map(({ name }) => name)

/** Every import below a folder that rooms.config.ts forbids, as `rule: from → to`; those of types count too. */
async function forbiddenImports(folder: string): Promise<{ modules: number; found: string[] }> {
  const { output } = await cruise(
    [folder],
    {
      ruleSet: rules,
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
    },
    undefined,
    { tsConfig: extractTSConfig(path.resolve('tsconfig.json')) },
  )
  if (typeof output === 'string') throw new Error(output)
  const { violations, totalCruised } = output.summary
  const found = violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  return { modules: totalCruised, found }
}

describe('the house', () => {
  it('has rooms that depend one way, leaves that know no room, and no circle', async () => {
    const { modules, found } = await forbiddenImports('src')
    expect(modules).toBeGreaterThan(200)
    expect(found).toEqual([])
  })

  it('has no room that the rules do not know', () => {
    const folders = sources.flatMap(({ name }) => (name.includes('/') ? [name.split('/')[0]] : []))
    expect([...new Set(folders)].sort()).toEqual([...ROOMS, 'gateways', 'http', 'mail'].sort())
  })

  it('reads the environment in one place', () => {
    expect(offenders(({ text }) => text.includes('process.env'))).toEqual(['config.ts'])
  })

  it('reaches the database through one client, whose every statement has a deadline', () => {
    expect(offenders(({ text }) => text.includes('new MongoClient'))).toEqual(['db.ts'])
  })

  it('tells the time by the injected clock', () => {
    const reads = offenders(({ text }) => /\bDate\.now\(|new Date\(\)/.test(text))
    expect(reads.sort()).toEqual(CLOCK_READERS)
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
