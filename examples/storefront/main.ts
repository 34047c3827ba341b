import { refusalOf, sentenceOf } from './api.ts'
import { el } from './el.ts'
import { showNav } from './nav.ts'
import { adoptPath, go, here, signInPath, takeNote, type Page, type Screen } from './navigation.ts'
import { say } from './notice.ts'
import { confirmEmailChange, undoEmailChange } from './screens/address-links.ts'
import { catalogue } from './screens/catalogue.ts'
import { course } from './screens/course.ts'
import { lesson } from './screens/lesson.ts'
import { forgotPassword, resetPassword, verifyEmail } from './screens/mail-links.ts'
import { myCourses } from './screens/my-courses.ts'
import { myOrders } from './screens/my-orders.ts'
import { order } from './screens/order.ts'
import { register, signIn } from './screens/sign-in.ts'
import { loadUser, setUser } from './session.ts'

const ROUTES: [pattern: RegExp, screen: Screen][] = [
  [/^\/$/, catalogue],
  [/^\/courses\/([^/]+)$/, course],
  [/^\/courses\/([^/]+)\/lessons\/([^/]+)$/, lesson],
  [/^\/sign-in$/, signIn],
  [/^\/register$/, register],
  [/^\/my-courses$/, myCourses],
  [/^\/my-orders$/, myOrders],
  [/^\/orders\/([^/]+)$/, order],
  [/^\/verify-email$/, verifyEmail],
  [/^\/confirm-email-change$/, confirmEmailChange],
  [/^\/undo-email-change$/, undoEmailChange],
  [/^\/forgot-password$/, forgotPassword],
  [/^\/reset-password$/, resetPassword],
]

const main = document.getElementById('main') ?? document.body
let leaving = new AbortController()

async function show(): Promise<void> {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  say(takeNote())
  showNav()
  main.ariaBusy = 'true'
  const page = await load(signal).catch(failed)
  if (signal.aborted) return
  main.ariaBusy = null
  document.title = `${page.title} · Gurukul`
  main.replaceChildren(el('div', { class: 'screen' }, page.body))
}

async function load(left: AbortSignal): Promise<Page> {
  const { pathname, searchParams: query } = new URL(here(), location.origin)
  for (const [pattern, screen] of ROUTES) {
    const found = pattern.exec(pathname)
    if (found) return screen({ params: found.slice(1).map(decodeURIComponent), query, left })
  }
  return apology('This page does not exist.')
}

function failed(error: unknown): Page {
  const refusal = refusalOf(error)
  if (!refusal) console.error(error)
  if (refusal?.reason === 'UNAUTHENTICATED') {
    setUser(null)
    go(signInPath(), 'Sign in to see this.')
  }
  return apology(sentenceOf(error))
}

function apology(sentence: string): Page {
  return {
    title: 'Not here',
    body: [el('h1', {}, sentence), el('p', {}, el('a', { href: '#/' }, 'Back to all courses'))],
  }
}

// Its target is no screen.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault()
  main.focus()
})

addEventListener('hashchange', (event) => {
  void show().then(() => {
    if (!(event instanceof HashChangeEvent)) return
    scrollTo(0, 0)
    main.focus({ preventScroll: true })
  })
})

adoptPath()
await loadUser().catch(() => undefined)
await show()
