import type { Uses } from '../deps.ts'

/** What everything from a captured payment to an open course touches. */
export type Till = Uses<'db' | 'now' | 'razorpay' | 'log' | 'settings'>
