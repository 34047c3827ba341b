import { api, refusalOf, settings } from '../api.ts'
import { button, field, form } from '../controls.ts'
import { el, type Child } from '../el.ts'
import { word } from '../format.ts'
import { go, type Page, type Visit } from '../navigation.ts'
import { setUser, type User } from '../session.ts'
import type { DemoAccount } from '../serve.ts'

const email = () => field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email' })

export function signIn({ query }: Visit): Page {
  const code = field({
    name: 'code',
    label: 'Code from your authenticator',
    autocomplete: 'one-time-code',
    isOptional: true,
  })
  code.hidden = true
  const made = form({
    fields: [
      email(),
      field({
        name: 'password',
        label: 'Password',
        type: 'password',
        autocomplete: 'current-password',
      }),
      code,
    ],
    action: 'Sign in',
    submit: async (value) => {
      const login = { email: value('email'), password: value('password') }
      const input = code.hidden ? login : { ...login, code: value('code') }
      try {
        enter(query, await api.auth.login.mutate(input))
      } catch (error) {
        if (refusalOf(error)?.reason === 'TOTP_REQUIRED') code.hidden = false
        throw error
      }
    },
  })
  return page('Sign in', [
    made,
    el(
      'p',
      {},
      el('a', { href: `#/register?${query}` }, 'Register'),
      ' · ',
      el('a', { href: '#/forgot-password' }, 'Forgot your password?'),
    ),
    demoAccounts(query),
  ])
}

export function register({ query }: Visit): Page {
  const made = form({
    fields: [
      field({ name: 'name', label: 'Name', autocomplete: 'name' }),
      email(),
      field({
        name: 'password',
        label: 'Password',
        type: 'password',
        autocomplete: 'new-password',
        hint: 'At least 8 characters, and hard to guess: three or four words that do not belong together are best.',
        minlength: 8,
      }),
    ],
    action: 'Register',
    submit: async (value) => {
      const input = {
        name: value('name'),
        email: value('email'),
        password: value('password'),
      }
      enter(query, await api.auth.register.mutate(input))
    },
  })
  return page('Register', [
    made,
    el('p', {}, 'Have an account? ', el('a', { href: `#/sign-in?${query}` }, 'Sign in')),
    demoAccounts(query),
  ])
}

function page(title: string, body: Child): Page {
  return { title, body: el('div', { class: 'narrow card' }, el('h1', {}, title), body) }
}

function demoAccounts(query: URLSearchParams): Child {
  if (settings.demoAccounts.length === 0) return null
  const enterAs = ({ role, name, email, password }: DemoAccount) =>
    button(
      [el('strong', {}, name), el('span', {}, word(role))],
      async () => {
        enter(query, await api.auth.login.mutate({ email, password }))
      },
      'plain',
    )
  return el(
    'section',
    { class: 'demo', 'aria-label': 'Demo accounts' },
    el('h2', {}, 'Or try it as'),
    settings.demoAccounts.map(enterAs),
  )
}

/** Goes on to where the visitor was stopped. */
function enter(query: URLSearchParams, user: User): void {
  setUser(user)
  go(query.get('next') ?? '/', `Welcome, ${user.name}.`)
}
