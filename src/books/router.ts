import { AnyPage } from '../fields.ts'
import { adminProcedure, fewAtOnce, roleProcedure, router } from '../trpc.ts'
import { earningsByInstructor, EarningsQuery, InstructorEarnings, myEarnings } from './earnings.ts'
import { findViolations, InvariantsQuery } from './invariants/invariants.ts'
import { readStats } from './stats.ts'
import { listStuck } from './stuck.ts'

export const earningsRouter = router({
  mine: roleProcedure('INSTRUCTOR', 'ADMIN')
    .use(fewAtOnce)
    .input(EarningsQuery)
    .query(({ ctx, input }) => myEarnings(ctx, ctx.actor, input)),
  byInstructor: adminProcedure
    .use(fewAtOnce)
    .input(InstructorEarnings)
    .query(({ ctx, input }) => earningsByInstructor(ctx, input)),
})

/** What a person should look at; merged into `orders`. */
export const stuckProcedures = {
  stuck: adminProcedure.input(AnyPage).query(({ ctx, input }) => listStuck(ctx, input)),
}

/** The administrators' view of the books; merged into `admin`. */
export const booksProcedures = {
  stats: adminProcedure.use(fewAtOnce).query(({ ctx }) => readStats(ctx)),
  invariants: adminProcedure
    .use(fewAtOnce)
    .input(InvariantsQuery.default({ graceSeconds: 60 }))
    .query(({ ctx, input }) => findViolations(ctx, input)),
}
