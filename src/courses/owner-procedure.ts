import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { Id, orNamed } from '../fields.ts'
import { roleProcedure } from '../trpc.ts'
import { requireOwnCourse } from './access.ts'
import type { CourseDocument } from './course.ts'

export const authorProcedure = roleProcedure('INSTRUCTOR', 'ADMIN')

/** For parts of a course, named by `courseId`; `ctx.course` is the caller's own. */
export const ownerProcedure = authorProcedure
  .input(z.object({ courseId: Id }))
  .use(async ({ ctx, input, next, type, path }) => {
    const course = await requireOwnCourse(ctx, ctx.actor, input.courseId)
    const result = await next({ ctx: { course } })
    if (result.ok && type === 'mutation') await noteForeign(ctx, course, path)
    return result
  })

/** For a course as a whole, named by `id`, or by `courseId` as its parts name it. */
export const ownCourseProcedure = authorProcedure
  .input(orNamed(z.object({ id: Id }), 'id', 'courseId'))
  .use(async ({ ctx, input, next, type, path }) => {
    const course = await requireOwnCourse(ctx, ctx.actor, input.id)
    const result = await next({ ctx: { course } })
    if (result.ok && type === 'mutation') await noteForeign(ctx, course, path)
    return result
  })

/** What an administrator changes of another's course is written down; authors answer for their own. */
async function noteForeign(
  ctx: Audited & { actor: Actor },
  { _id, ownerId }: CourseDocument,
  procedure: string,
): Promise<void> {
  if (ownerId === ctx.actor.id) return
  const target = `course:${_id}`
  await audit(ctx, { actor: ctx.actor, act: 'courses.administered', target, after: { procedure } })
}
