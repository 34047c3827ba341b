import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { UPLOAD_RULES } from '../src/media/purposes.ts'

const PAGES = ['README.md', ...globSync('docs/*.md'), ...globSync('tests/**/*.md')]

const textOf = (page: string) => readFileSync(page, 'utf8')

const isThere = (...from: string[]) => globSync(path.join(...from)).length > 0

describe.each(PAGES)('%s', (page) => {
  it('links to pages and files that are there', () => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(
      ([, to]) => to ?? '',
    )
    expect(links.filter((to) => !existsSync(path.join(path.dirname(page), to)))).toEqual([])
  })

  it('names files that are there', () => {
    const named = [
      ...textOf(page).matchAll(/`((?:src|tests|sandbox|prisma|docs|bin)\/[\w./*-]+)`/g),
    ]
    expect(named.map(([, name]) => name ?? '').filter((name) => !isThere(name))).toEqual([])
  })
})

it('docs/security.md names defences and tests that are there', () => {
  const rows = textOf('docs/security.md')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 6)
  expect(rows.length).toBeGreaterThan(15)
  const namesIn = (cell = '') => [...cell.matchAll(/`([\w/.-]+)`/g)].map(([, name]) => name ?? '')
  const missing = rows
    .slice(1)
    .flatMap(([, , , where, test]) => [
      ...namesIn(where).filter((name) => !isThere('src', name) && !isThere(name)),
      ...namesIn(test).filter((name) => !isThere('tests', `${name.replace(/\/$/, '')}{.test.ts,}`)),
    ])
  expect(missing).toEqual([])
})

it('docs/input-rules.md says which files are taken, and how large', () => {
  const rows = textOf('docs/input-rules.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  for (const [purpose, { formats, maxBytes }] of Object.entries(UPLOAD_RULES)) {
    const row = rows.find((cells) => cells[1] === `\`${purpose}\``)
    expect(row?.slice(2, 4)).toEqual([formats.join(', '), `${maxBytes / 1024 ** 2} MB`])
  }
})
