import { refusalOf, sentenceOf } from './api.ts'
import { el } from './el.ts'
import { go, signInPath } from './navigation.ts'
import { setUser } from './session.ts'

/** Says something above the screen; '' takes it away. */
export function say(text: string): void {
  show(text === '' ? [] : [el('p', { class: 'note' }, text)])
}

/** Says what went wrong; whoever's session has ended is asked to sign in. */
export function complain(error: unknown): void {
  const refusal = refusalOf(error)
  if (refusal?.reason === 'UNAUTHENTICATED') {
    setUser(null)
    go(signInPath(), sentenceOf(error))
    return
  }
  if (!refusal) console.error(error)
  show([el('p', { class: 'note bad', role: 'alert' }, sentenceOf(error))])
}

function show(notes: Node[]): void {
  const place = document.getElementById('notice')
  place?.replaceChildren(...notes)
  if (notes.length > 0) place?.scrollIntoView({ block: 'nearest' })
}
