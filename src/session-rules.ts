// How long sessions last and how many an account has, by role, as the configuration says.
import { z } from 'zod'
import type { Role } from './auth/user.ts'
import { HOUR_MS } from './durations.ts'

/** Of one session: how long it may lie unused, how long it may last; and how many an account has at once. */
export type SessionRule = { idleMs: number; absoluteMs: number; most: number }

/** An administrator's stolen session is worth more than anybody's, so theirs end sooner. */
export type SessionRules = { everyone: SessionRule; administrators: SessionRule }

export const ruleFor = (rules: SessionRules, role: Role): SessionRule =>
  role === 'ADMIN' ? rules.administrators : rules.everyone

const hours = z.coerce
  .number()
  .positive()
  .max(400 * 24)
const count = z.coerce.number().int().min(1).max(1_000)

/** What the environment says of sessions. */
export const SESSIONS = {
  SESSION_IDLE_HOURS: hours.default(14 * 24),
  SESSION_HOURS: hours.default(90 * 24),
  SESSIONS_PER_ACCOUNT: count.default(20),
  ADMIN_SESSION_IDLE_HOURS: hours.optional(),
  ADMIN_SESSION_HOURS: hours.optional(),
  SESSIONS_PER_ADMIN: count.default(5),
}
type Environment = z.infer<z.ZodObject<typeof SESSIONS>>

/** The rules; whoever develops would sign in anew all day by those of production. */
export function sessionRulesOf(env: Environment, isProduction: boolean): SessionRules {
  const idle = env.ADMIN_SESSION_IDLE_HOURS ?? (isProduction ? 2 : 10 * 24)
  const whole = env.ADMIN_SESSION_HOURS ?? (isProduction ? 12 : 30 * 24)
  return {
    everyone: {
      idleMs: env.SESSION_IDLE_HOURS * HOUR_MS,
      absoluteMs: env.SESSION_HOURS * HOUR_MS,
      most: env.SESSIONS_PER_ACCOUNT,
    },
    administrators: {
      idleMs: Math.min(idle, env.SESSION_IDLE_HOURS) * HOUR_MS,
      absoluteMs: Math.min(whole, env.SESSION_HOURS) * HOUR_MS,
      most: env.SESSIONS_PER_ADMIN,
    },
  }
}
