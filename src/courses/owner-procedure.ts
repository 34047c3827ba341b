import { z } from 'zod'
import { Id, orNamed } from '../fields.ts'
import { roleProcedure } from '../trpc.ts'
import { requireOwnCourse } from './access.ts'

export const authorProcedure = roleProcedure('INSTRUCTOR', 'ADMIN')

/** For parts of a course, named by `courseId`; `ctx.course` is the caller's own. */
export const ownerProcedure = authorProcedure
  .input(z.object({ courseId: Id }))
  .use(async ({ ctx, input, next }) =>
    next({ ctx: { course: await requireOwnCourse(ctx, ctx.actor, input.courseId) } }),
  )

/** For a course as a whole, named by `id`, or by `courseId` as its parts name it. */
export const ownCourseProcedure = authorProcedure
  .input(orNamed(z.object({ id: Id }), 'id', 'courseId'))
  .use(async ({ ctx, input, next }) =>
    next({ ctx: { course: await requireOwnCourse(ctx, ctx.actor, input.id) } }),
  )
