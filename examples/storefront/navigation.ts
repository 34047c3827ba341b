import type { Child } from './el.ts'

export type Visit = {
  /** What the route's pattern captured, decoded. */
  params: string[]
  query: URLSearchParams
  /** Aborted when the visitor goes elsewhere. */
  left: AbortSignal
}

export type Page = { title: string; body: Child }
export type Screen = (visit: Visit) => Page | Promise<Page>

/** Where we are, as it stands behind the `#`. */
export const here = (): string => location.hash.slice(1) || '/'

let parting = ''

/** Goes to another screen, which says `note` on arrival. */
export function go(path: string, note = ''): void {
  parting = note
  if (path === here()) dispatchEvent(new Event('hashchange'))
  else location.hash = path
}

/** Shows where we are anew, with what has changed since. */
export const reload = (note = ''): void => {
  go(here(), note)
}

export function takeNote(): string {
  const note = parting
  parting = ''
  return note
}

export const signInPath = (): string =>
  here().startsWith('/sign-in') ? here() : `/sign-in?${new URLSearchParams({ next: here() })}`

export const coursePath = (slug: string): string => `/courses/${encodeURIComponent(slug)}`
export const lessonPath = (slug: string, lessonId: string): string =>
  `${coursePath(slug)}/lessons/${encodeURIComponent(lessonId)}`
export const orderPath = (id: string): string => `/orders/${encodeURIComponent(id)}`

/** Mails link to plain paths such as `/orders/1`; this page keeps its own behind the `#`. */
export function adoptPath(): void {
  const { pathname, search, hash } = location
  if (pathname !== '/' && hash === '') history.replaceState(null, '', `/#${pathname}${search}`)
}
