import { initTRPC, type TRPCDefaultErrorShape as DefaultErrorShape } from '@trpc/server'
import { noteRefusal } from './auth/refusals.ts'
import type { Role } from './auth/user.ts'
import { requireSignedIn, type Context } from './context.ts'
import { DomainError, sentenceOf, type Issue, type Reason } from './errors.ts'
import type { Caller } from './http/at-once.ts'
import { transformer } from './http/transformer.ts'
import { refusalOf, translated } from './refusal.ts'

/** What a client finds in an error; `data.reason` is a union it can switch on. */
type ErrorShape = Omit<DefaultErrorShape, 'data'> & {
  data: Pick<DefaultErrorShape['data'], 'code' | 'httpStatus' | 'path'> & {
    reason: Reason
    issues: Issue[]
    requestId?: string
  }
}

const t = initTRPC.context<Context>().create({
  transformer,
  isDev: false,
  // The message and cause of an unknown error may hold anything, a connection string included.
  errorFormatter({ shape, error, ctx }): ErrorShape {
    const { reason, issues } = refusalOf(error) ?? new DomainError('INTERNAL')
    const { code, httpStatus, path } = shape.data
    const requestId = ctx?.requestId
    return {
      code: shape.code,
      message: sentenceOf(reason),
      data: {
        code,
        httpStatus,
        reason,
        issues,
        ...(path !== undefined && { path }),
        ...(requestId !== undefined && { requestId }),
      },
    }
  },
})

// `next()` never rejects in tRPC 11: it resolves to a result that says whether it went well.
const translateErrors = t.middleware(async ({ ctx, path, next }) => {
  const result = await next()
  if (result.ok) return result
  const refusal = refusalOf(result.error)
  if (refusal) await noteRefusal(ctx, refusal, path)
  throw translated(result.error, ctx.retryAfter)
})

/** Puts procedures, or routers of them, together. */
export const router = t.router
/** How errors and answers are written, for whoever answers without tRPC's adapter (http/lean-query). */
export const rootConfig = t._config
/** For bases that a room adds to those below. */
export const middleware = t.middleware

// A batch is one HTTP request but many calls: an HTTP limiter alone lets twenty times its limit through.
const limitCalls = t.middleware(async ({ ctx, next }) => {
  await ctx.limitCalls.count(callerIn(ctx))
  return next()
})

/** Whom limits count a call for. */
export function callerIn({ actor, network }: Pick<Context, 'actor' | 'network'>): Caller {
  return { account: actor?.id ?? null, network }
}

/**
 * For what costs more memory and time than a page of rows does: a tenth of the calls a minute, two at once of an
 * account, four in all; others wait, or are refused with TOO_MANY_REQUESTS or UNAVAILABLE.
 */
export const fewAtOnce = t.middleware(async ({ ctx, next }) => {
  const caller = callerIn(ctx)
  await ctx.limitHeavy.count(caller)
  return ctx.heavyAtOnce(caller, () => next())
})

/**
 * Anyone, within the limit of calls (TOO_MANY_REQUESTS). The other bases add to it; auth stands in the base
 * so that strangers cannot probe inputs.
 */
export const publicProcedure = t.procedure.use(translateErrors).use(limitCalls)

/**
 * Whoever is signed in: `ctx.actor` is there. Others are refused with UNAUTHENTICATED, and with
 * SECOND_FACTOR_NEEDED where their role must set one up first.
 */
export const authedProcedure = publicProcedure.use(({ ctx, next }) =>
  next({ ctx: { actor: requireSignedIn(ctx) } }),
)

/** Anyone, and whoever still has to set up a second factor is who they are: signing in and out. */
export const doorProcedure = publicProcedure.use(({ ctx, next }) =>
  next({ ctx: { actor: ctx.actor ?? ctx.enrolling } }),
)

/** Whoever is signed in, with or without the second factor that their role needs: setting one up. */
export const enrollingProcedure = doorProcedure.use(({ ctx, next }) => {
  if (!ctx.actor) throw new DomainError('UNAUTHENTICATED')
  return next({ ctx: { actor: ctx.actor } })
})

/** Whoever is signed in and has one of these roles. Others are refused with FORBIDDEN. */
export const roleProcedure = (...roles: [Role, ...Role[]]) =>
  authedProcedure.use(({ ctx, next }) => {
    if (!roles.includes(ctx.actor.role)) throw new DomainError('FORBIDDEN')
    return next()
  })

/** Administrators. */
export const adminProcedure = roleProcedure('ADMIN')
