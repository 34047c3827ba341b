import { refusalOf, sentenceOf } from './api.ts'
import { el, type Child } from './el.ts'
import { complain, say } from './notice.ts'

type Work = () => Promise<void>
type Look = 'primary' | 'plain' | 'quiet'

/** A button that does one thing at a time and says what went wrong. */
export function button(label: Child, work: Work, look: Look = 'primary'): HTMLButtonElement {
  const made = el('button', { type: 'button', class: `button ${look}` }, label)
  made.addEventListener('click', () => {
    say('')
    void once(made, work).catch(complain)
  })
  return made
}

/** Marked, not disabled: a disabled button loses the keyboard's focus. */
async function once(control: HTMLButtonElement, work: Work): Promise<void> {
  if (control.ariaBusy === 'true') return
  control.ariaBusy = 'true'
  try {
    await work()
  } finally {
    control.ariaBusy = null
  }
}

type Field = {
  name: string
  label: string
  type?: 'text' | 'email' | 'password' | 'search'
  value?: string
  autocomplete?: string
  hint?: string
  minlength?: number
  isOptional?: boolean
}

export function field({ name, label, isOptional, hint, ...rest }: Field): HTMLElement {
  const id = `field-${name}`
  const hints = hint === undefined ? [] : [el('small', { id: `${id}-hint` }, hint)]
  const about = [`${id}-error`, ...hints.map((made) => made.id)].join(' ')
  return el(
    'p',
    { class: 'field' },
    el('label', { for: id }, label),
    el('input', { id, name, required: isOptional !== true, 'aria-describedby': about, ...rest }),
    hints,
    el('small', { id: `${id}-error`, class: 'error' }),
  )
}

type Form = {
  fields: Child
  action: string
  submit: (values: (name: string) => string) => Promise<void>
}

/** A form that puts each of the server's complaints beside the field it is about. */
export function form({ fields, action, submit }: Form): HTMLFormElement {
  const error = el('p', { class: 'error', role: 'alert' })
  const control = el('button', { class: 'button primary' }, action)
  const made = el('form', {}, fields, error, control)
  made.addEventListener('submit', (event) => {
    event.preventDefault()
    clearErrors(made)
    const data = new FormData(made)
    const value = (name: string) => {
      const given = data.get(name)
      return typeof given === 'string' ? given : ''
    }
    void once(control, () => submit(value)).catch((thrown: unknown) => {
      showErrors(made, error, thrown)
    })
  })
  return made
}

function clearErrors(made: HTMLFormElement): void {
  for (const place of made.querySelectorAll('.error')) place.textContent = ''
  for (const input of made.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid')
}

function showErrors(made: HTMLFormElement, rest: HTMLElement, error: unknown): void {
  const refusal = refusalOf(error)
  if (!refusal) console.error(error)
  rest.textContent = sentenceOf(error)
  for (const { path, message } of refusal?.issues ?? []) {
    const input = made.elements.namedItem(path)
    if (!(input instanceof HTMLInputElement)) {
      rest.textContent += ` ${path} ${message}.`
      continue
    }
    input.setAttribute('aria-invalid', 'true')
    const place = made.querySelector(`#field-${CSS.escape(path)}-error`)
    if (place) place.textContent = `This ${message.replace(/^Invalid/, 'is not valid: invalid')}`
  }
  made.querySelector<HTMLInputElement>('[aria-invalid]')?.focus()
}
