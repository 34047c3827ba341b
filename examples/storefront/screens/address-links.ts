import { api } from '../api.ts'
import { form } from '../controls.ts'
import { el } from '../el.ts'
import { go, type Page, type Visit } from '../navigation.ts'
import { loadUser } from '../session.ts'

const SAID = {
  OLD_NEEDED: 'Thank you. Now follow the link that we have mailed to your old address.',
  NEW_NEEDED: 'Thank you. Now follow the link that we have mailed to your new address.',
  CHANGED: 'Your address is changed. Sign in with it.',
}

/** Confirms one end of a change of address, only when asked to: mail scanners open links. */
export function confirmEmailChange({ query }: Visit): Page {
  return page(
    'Confirm your new address',
    'Please confirm that your address shall change.',
    async () => {
      const token = query.get('token') ?? ''
      const { status } = await api.auth.confirmEmailChange.mutate({ token })
      await loadUser()
      go('/', SAID[status])
    },
  )
}

/** Gives the account back to the address it had. */
export function undoEmailChange({ query }: Visit): Page {
  return page('Take your account back', 'Was your address changed by somebody else?', async () => {
    await api.auth.undoEmailChange.mutate({ token: query.get('token') ?? '' })
    await loadUser()
    go('/', 'Your old address is back. Choose a new password by the link that is on its way.')
  })
}

function page(title: string, question: string, submit: () => Promise<void>): Page {
  const asked = form({ fields: el('p', {}, question), action: 'Yes', submit })
  return { title, body: el('div', { class: 'narrow card' }, el('h1', {}, title), asked) }
}
