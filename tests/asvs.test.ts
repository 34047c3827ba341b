import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

type Row = {
  ids: string[]
  level: string
  state: string
  words: string
  tests: string[]
  pages: string[]
}

const page = readFileSync('docs/asvs.md', 'utf8')
const rows: Row[] = page
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 8 && /^\d/.test(cells[1] ?? ''))
  .map(([, ids = '', level = '', , state = '', words = '', by = '']) => ({
    ids: ids.split(',').map((id) => id.trim()),
    level,
    state,
    words,
    tests: [...by.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    pages: [...words.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name = '']) => name),
  }))

// How many of levels 1 and 2 each chapter of ASVS 5.0.0 has.
const CHAPTERS = [27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7]

describe('docs/asvs.md', () => {
  it('has every requirement of levels 1 and 2 once', () => {
    const ids = rows.flatMap((row) => row.ids)
    expect(new Set(ids).size).toBe(ids.length)
    const perChapter = CHAPTERS.map(
      (_count, at) => ids.filter((id) => id.startsWith(`${at + 1}.`)).length,
    )
    expect(perChapter).toEqual(CHAPTERS)
    expect(rows.filter(({ level }) => level === '1').flatMap((row) => row.ids)).toHaveLength(70)
  })

  it('leaves nothing of level 1 open, and says of the rest what was decided', () => {
    const open = rows.filter(({ state }) => state === 'open')
    expect(open.filter(({ level }) => level === '1')).toEqual([])
    const end = page.slice(page.indexOf('## What is open'))
    expect(open.flatMap(({ ids }) => ids).filter((id) => !end.includes(id))).toEqual([])
  })

  it('names a test for all that is met, and a reason for all that does not apply', () => {
    expect(rows.filter(({ state }) => !['met', 'n/a', 'open'].includes(state))).toEqual([])
    expect(rows.filter(({ words }) => words.length < 3)).toEqual([])
    const unheld = rows.filter(({ state, tests }) => state === 'met' && tests.length === 0)
    expect(unheld.flatMap(({ ids }) => ids)).toEqual([])
  })

  it('names tests and pages that are there', () => {
    const tests = rows.flatMap((row) => row.tests)
    expect(tests.filter((name) => globSync(`tests/${name}.test.ts`).length === 0)).toEqual([])
    const pages = rows.flatMap((row) => row.pages)
    expect(pages.filter((name) => !existsSync(`docs/${name}`))).toEqual([])
  })
})
