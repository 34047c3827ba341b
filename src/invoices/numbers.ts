// Invoices and credit notes are each numbered without a gap in each financial year: the serial after the last is the
// unique key of the one insert that issues a document, whoever is beaten to it takes the next, and none is ever deleted.
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { HOUR_MS } from '../durations.ts'
import { inTurn } from '../in-turn.ts'

const MAX_TRIES = 300

type Numbered = {
  prefix: 'INV' | 'CRN'
  series: string
  /** The last serial of the series so far, 0 in an empty one. */
  last: () => Promise<number>
  /** Whether the document is there: somebody may have issued it meanwhile. */
  isIssued: () => Promise<boolean>
  /** The insert, under unique keys of its number and of what it is about. */
  issue: (number: string, serial: number) => Promise<void>
}

/** Issues one document under the next number of its series, unless it is there; however many do at once. */
export async function issueNumbered(
  { db }: Uses<'db'>,
  { prefix, series, last, isIssued, issue }: Numbered,
): Promise<void> {
  await inTurn(db, `${prefix} ${series}`, async () => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      if (await isIssued()) return
      const serial = (await last()) + 1
      try {
        await issue(numberOf(prefix, series, serial), serial)
        return
      } catch (error) {
        if (!isDuplicateKey(error)) throw error
      }
    }
    throw new Error(`no number of ${prefix} ${series} to be had`)
  })
}

/** `INV/26-27/000001`. The law allows 16 characters, so a seventh digit and an eighth push letters out. */
export function numberOf(prefix: string, series: string, serial: number): string {
  const digits = String(serial).padStart(6, '0')
  return `${prefix.slice(0, Math.max(0, 9 - digits.length))}/${series}/${digits}`
}

const IST_MS = 5.5 * HOUR_MS

/** India's runs from April to March, in Indian time: `26-27`. */
export function financialYear(at: Date): string {
  const { year, month } = indianMonth(at)
  const start = year - (month < 3 ? 1 : 0)
  const short = (number: number) => String(number % 100).padStart(2, '0')
  return `${short(start)}-${short(start + 1)}`
}

/** The first moment of that moment's month in India: returns are made month by month. */
export function startOfMonth(at: Date): Date {
  const { year, month } = indianMonth(at)
  return new Date(Date.UTC(year, month) - IST_MS)
}

function indianMonth(at: Date): { year: number; month: number } {
  const there = new Date(at.getTime() + IST_MS)
  return { year: there.getUTCFullYear(), month: there.getUTCMonth() }
}
