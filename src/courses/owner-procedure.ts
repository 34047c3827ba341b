import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { Id, orNamed } from '../fields.ts'
import { roleProcedure } from '../trpc.ts'
import { requireOwnCourse } from './access.ts'
import type { CourseDocument } from './course.ts'

/** Authors and administrators; throws UNAUTHENTICATED or FORBIDDEN. */
export const authorProcedure = roleProcedure('INSTRUCTOR', 'ADMIN')

/**
 * The author of the course named by `courseId`, or an administrator; `ctx.course` is that course. Throws
 * NOT_FOUND or FORBIDDEN as `requireOwnCourse` does, before the rest of the input is looked at.
 */
export const ownerProcedure = authorProcedure
  .input(z.object({ courseId: Id }))
  .use(async ({ ctx, input, next }) => {
    const course = await requireOwnCourse(ctx, ctx.actor, input.courseId)
    return next({ ctx: { course } })
  })

/** Changes a part of a course; what an administrator changes of another's is audited. */
export const coursePartProcedure = ownerProcedure.use((call) => auditForeignChange(call))

/** The same for a course as a whole, which is named by `id`, or by `courseId` as its parts name it. */
export const wholeCourseProcedure = authorProcedure
  .input(orNamed(z.object({ id: Id }), 'id', 'courseId'))
  .use(async ({ ctx, input, next }) => {
    const course = await requireOwnCourse(ctx, ctx.actor, input.id)
    return next({ ctx: { course } })
  })
  .use((call) => auditForeignChange(call))

type Call<Result> = {
  ctx: Audited & { actor: Actor; course: CourseDocument }
  type: 'query' | 'mutation' | 'subscription'
  path: string
  next: () => Promise<Result>
}

/** Authors answer for their own courses; an administrator's hand in another's is put into the audit log. */
async function auditForeignChange<Result extends { ok: boolean }>({
  ctx,
  type,
  path,
  next,
}: Call<Result>): Promise<Result> {
  const { actor, course } = ctx
  const result = await next()
  if (!result.ok || type !== 'mutation' || course.ownerId === actor.id) return result
  const target = `course:${course._id}`
  await audit(ctx, { actor, act: 'courses.administered', target, after: { procedure: path } })
  return result
}
