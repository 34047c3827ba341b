import { api } from '../api.ts'
import { field, form } from '../controls.ts'
import { el } from '../el.ts'
import { go, type Page, type Visit } from '../navigation.ts'
import { loadUser } from '../session.ts'

/** Confirms only when asked to: mail scanners open links. */
export function verifyEmail({ query }: Visit): Page {
  return page(
    'Confirm your address',
    form({
      fields: el('p', {}, 'Please confirm that this e-mail address is yours.'),
      action: 'Confirm',
      submit: async () => {
        await api.auth.verifyEmail.mutate({ token: query.get('token') ?? '' })
        await loadUser()
        go('/', 'Thank you, your address is confirmed.')
      },
    }),
  )
}

export function forgotPassword(): Page {
  return page(
    'Choose a new password',
    form({
      fields: field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email' }),
      action: 'Send me a link',
      submit: async (value) => {
        await api.auth.requestPasswordReset.mutate({ email: value('email') })
        go('/', 'If there is an account with this address, a link is on its way.')
      },
    }),
  )
}

export function resetPassword({ query }: Visit): Page {
  return page(
    'Choose a new password',
    form({
      fields: field({
        name: 'password',
        label: 'New password',
        type: 'password',
        autocomplete: 'new-password',
        hint: 'At least 8 characters, and hard to guess: three or four words that do not belong together are best.',
        minlength: 8,
      }),
      action: 'Save',
      submit: async (value) => {
        const token = query.get('token') ?? ''
        await api.auth.resetPassword.mutate({ token, password: value('password') })
        go('/sign-in', 'Your password is changed. Sign in with it.')
      },
    }),
  )
}

function page(title: string, form: HTMLFormElement): Page {
  return { title, body: el('div', { class: 'narrow card' }, el('h1', {}, title), form) }
}
