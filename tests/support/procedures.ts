import type { z } from 'zod'
import { appRouter } from '../../src/router.ts'

export type Procedure = { name: string; isQuery: boolean; inputs: z.core.$ZodType[] }

type Internals = { _def: { type: string; inputs: z.core.$ZodType[] } }

/** Every procedure with the schemas its input has to pass, in the order they are asked. */
export const PROCEDURES: Procedure[] = Object.entries(
  appRouter._def.procedures as unknown as Record<string, Internals>,
)
  .map(([name, { _def }]) => ({ name, isQuery: _def.type === 'query', inputs: _def.inputs }))
  .sort((one, other) => (one.name < other.name ? -1 : 1))
