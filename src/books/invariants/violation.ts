import type { Uses } from '../../deps.ts'

export type Violation = { invariant: string; subject: string; detail: string }

export type Watch = Uses<'db' | 'now'>
