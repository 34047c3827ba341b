import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Account } from './account.ts'

const MAPS = ['orders', 'payments', 'refunds', 'disputes', 'refundKeys'] as const

/** Takes what an earlier run left in this file; secrets and addresses stay those of this run. */
export function loadSnapshot(account: Account, file: string): void {
  const text = readText(file)
  if (text === null) return
  const saved = JSON.parse(text) as Record<string, unknown>
  for (const name of MAPS) {
    const map = account[name] as Map<string, unknown>
    for (const [key, row] of (saved[name] ?? []) as [string, unknown][]) map.set(key, row)
  }
  account.id = saved['id'] as Account['id']
  Object.assign(account.settings, saved['settings'])
}

/**
 * All an account remembers, as JSON; written aside and renamed, so that a kill leaves the last whole copy.
 */
export function saveSnapshot(account: Account, file: string): void {
  const maps = Object.fromEntries(MAPS.map((name) => [name, [...account[name]]]))
  const snapshot = { id: account.id, settings: account.settings, ...maps }
  writeFileSync(`${file}.new`, JSON.stringify(snapshot))
  renameSync(`${file}.new`, file)
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
