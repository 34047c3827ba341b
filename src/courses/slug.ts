import { randomBytes } from 'node:crypto'
import { z } from 'zod'

export const Slug = z
  .string()
  .max(80)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'may have lower-case letters, digits and single hyphens')

/**
 * Addresses for a title, best first: `react-basics`, then two such as `react-basics-9f3c01aa`, one of which
 * is free.
 */
export function slugsFor(title: string): string[] {
  const base = title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '')
  const random = () => randomBytes(4).toString('hex')
  const stem = base === '' ? 'course' : base
  return [...(base === '' ? [] : [base]), `${stem}-${random()}`, `${stem}-${random()}`]
}
