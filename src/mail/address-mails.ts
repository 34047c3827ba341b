import type { Content, Site } from './layout.ts'
import type { Mail } from './mail.ts'

type AddressMail = Extract<
  Mail,
  {
    template: 'confirm-new-address' | 'confirm-old-address' | 'email-change-asked' | 'email-changed'
  }
>

/**
 * What is written to both ends of a change of address. None of them says the other address: whoever asks for a
 * change chooses it.
 */
export function addressMail({ appName }: Site, mail: AddressMail): Content {
  const { template, data } = mail
  const greeting = 'name' in data ? { greeting: data.name } : {}
  switch (template) {
    case 'confirm-new-address':
      return {
        subject: `Confirm your new address for ${appName}`,
        paragraphs: ['Somebody, hopefully you, wants to use this address for an account.'],
        button: confirmButton(mail.data.token),
        footer: 'If it was not you, ignore this mail: nothing will change.',
      }
    case 'confirm-old-address':
      return {
        subject: `Your ${appName} address is about to change`,
        ...greeting,
        paragraphs: [
          'Somebody who knows your password, hopefully you, wants to use another address for your account.',
          'It changes once both addresses are confirmed.',
        ],
        button: confirmButton(mail.data.token),
        footer: 'If it was not you, choose a new password now: that stops the change.',
      }
    case 'email-change-asked':
      return {
        subject: `Your ${appName} address is about to change`,
        ...greeting,
        paragraphs: [
          'Another address was asked for. Your account moves there once it is confirmed.',
        ],
        button: { label: 'It was not me', path: '/forgot-password' },
      }
    case 'email-changed':
      return {
        subject: `Your ${appName} address was changed`,
        ...greeting,
        paragraphs: [
          'Your account has another address now, and all other devices were signed out.',
          'If it was not you, take it back within seven days. You then choose a new password.',
        ],
        button: {
          label: 'Take it back',
          path: '/undo-email-change',
          query: { token: mail.data.token },
        },
      }
  }
}

const confirmButton = (token: string) => ({
  label: 'Confirm',
  path: '/confirm-email-change',
  query: { token },
})
