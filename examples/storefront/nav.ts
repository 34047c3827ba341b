import { api } from './api.ts'
import { button } from './controls.ts'
import { el } from './el.ts'
import { go, here } from './navigation.ts'
import { currentUser, setUser } from './session.ts'

/** The links of the page's head, for whoever is signed in now. */
export function showNav(): void {
  const user = currentUser()
  const mine = user ? [link('/my-courses', 'My courses'), link('/my-orders', 'My orders')] : []
  document.getElementById('nav')?.replaceChildren(link('/', 'Courses'), ...mine)
  const account = user
    ? [el('span', { class: 'who' }, user.name), button('Sign out', signOut, 'quiet')]
    : [link('/sign-in', 'Sign in'), link('/register', 'Register')]
  document.getElementById('account')?.replaceChildren(...account)
}

function link(path: string, label: string): HTMLElement {
  const isHere = here().split('?', 1)[0] === path
  return el('a', { href: `#${path}`, 'aria-current': isHere ? 'page' : null }, label)
}

async function signOut(): Promise<void> {
  await api.auth.logout.mutate()
  setUser(null)
  go('/', 'You are signed out.')
}
