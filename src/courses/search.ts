import type { Context } from '../context.ts'
import type { PageOf } from '../fields.ts'
import { callerIn } from '../trpc.ts'
import { listCourses, type CatalogueQuery, type CourseCard } from './catalogue.ts'
import { sortFor } from './sort.ts'

/**
 * A page of published courses, as `listCourses` reads it. What no index answers is a search: it has limits of
 * its own, or those who search keep the database from everybody else. Throws TOO_MANY_REQUESTS, UNAVAILABLE
 * where too many search at once, and INVALID_INPUT.
 */
export async function searchCourses(
  ctx: Context,
  query: CatalogueQuery,
): Promise<PageOf<CourseCard>> {
  if (!isSearch(query)) return listCourses(ctx, query)
  const caller = callerIn(ctx)
  await ctx.limitSearches.count(caller)
  return ctx.searchAtOnce(caller, () => listCourses(ctx, query))
}

/** Whether more courses are looked at than are shown: no index has them in this order. */
function isSearch(query: CatalogueQuery): boolean {
  const { q, category, level, maxPrice } = query
  if (q || level !== undefined || maxPrice !== undefined) return true
  const sort = sortFor(query)
  return sort !== 'newest' && (sort === 'rating' || Boolean(category))
}
