import { addressMail } from './address-mails.ts'
import { inRupees, pathPart, renderMessage, type Message, type Site } from './layout.ts'
import { FACTOR_CHANGES, type Mail } from './mail.ts'

/** The subject and both bodies of a mail, with links that begin at the configured origin. */
export function composeMail(site: Site, mail: Mail): Message {
  const { appName } = site
  switch (mail.template) {
    case 'verify-email':
      return renderMessage(site, {
        subject: `Confirm your address for ${appName}`,
        paragraphs: ['Please confirm that this address is yours.'],
        button: { label: 'Confirm', path: '/verify-email', query: { token: mail.data.token } },
        footer: 'If you did not create an account, ignore this mail.',
      })
    case 'reset-password':
      return renderMessage(site, {
        subject: `Choose a new password for ${appName}`,
        ...greetingOf(mail.data),
        paragraphs: ['Somebody, hopefully you, asked for a new password. The link works once.'],
        button: {
          label: 'Choose a new password',
          path: '/reset-password',
          query: { token: mail.data.token },
        },
        footer: 'If it was not you, ignore this mail: your password stays as it is.',
      })
    case 'password-changed':
      return renderMessage(site, {
        subject: `Your ${appName} password was changed`,
        ...greetingOf(mail.data),
        paragraphs: [
          `It was changed on ${dateText(mail.data.at)}, and all other devices were signed out.`,
        ],
        button: { label: 'It was not me', path: '/forgot-password' },
      })
    case 'new-sign-in':
      return renderMessage(site, {
        subject: `New sign-in to ${appName}`,
        ...greetingOf(mail.data),
        paragraphs: [
          `Your account was used on a new device on ${dateText(mail.data.at)}.`,
          `Device: ${mail.data.device}. Network address: ${mail.data.address}.`,
        ],
        button: { label: 'It was not me', path: '/forgot-password' },
      })
    case 'second-factor-changed':
      return renderMessage(site, {
        subject: `The second factor of your ${appName} account was changed`,
        paragraphs: [`On ${dateText(mail.data.at)}. ${FACTOR_CHANGES[mail.data.change]}`],
        button: { label: 'It was not me', path: '/forgot-password' },
      })
    case 'receipt':
      return renderMessage(site, receiptOf(mail.data))
    case 'confirm-new-address':
    case 'confirm-old-address':
    case 'email-change-asked':
    case 'email-changed':
      return renderMessage(site, addressMail(site, mail))
    case 'enrolled':
      return renderMessage(site, {
        subject: `You are enrolled in ${mail.data.courseTitle}`,
        ...greetingOf(mail.data),
        paragraphs: [`“${mail.data.courseTitle}” is open for you.`],
        button: {
          label: 'Start learning',
          path: `/courses/${pathPart(mail.data.courseSlug)}`,
        },
      })
    case 'refund':
      return renderMessage(site, {
        subject: `Refund of ${inRupees(mail.data.amountPaise)} from ${appName}`,
        ...greetingOf(mail.data),
        paragraphs: [
          `We have refunded ${inRupees(mail.data.amountPaise)} of order ${mail.data.orderId}.`,
          'Your bank shows it within five to seven working days.',
        ],
        button: orderButton(mail.data.orderId),
      })
    case 'late-payment':
      return renderMessage(site, {
        subject: `Your payment for order ${mail.data.orderId} came too late`,
        paragraphs: [
          `It came after the order had closed, and ${mail.data.fault}.`,
          mail.data.isTaken
            ? `We give all of it back: ${inRupees(mail.data.amountPaise)}. Your bank shows it within five to seven working days.`
            : `We have not taken the ${inRupees(mail.data.amountPaise)}: your bank lets go of them within a few days.`,
          'You are welcome to order again.',
        ],
        button: orderButton(mail.data.orderId),
      })
    case 'order-review':
      return renderMessage(site, {
        subject: `Order ${mail.data.orderId} needs a decision`,
        paragraphs: [`The order was set aside: ${mail.data.reason}`],
        button: {
          label: 'Look at the order',
          path: `/admin/orders/${pathPart(mail.data.orderId)}`,
        },
      })
  }
}

function greetingOf({ name }: { name?: string }): { greeting?: string } {
  return name === undefined ? {} : { greeting: name }
}

function receiptOf(data: Extract<Mail, { template: 'receipt' }>['data']) {
  const { discountPaise = 0 } = data
  return {
    subject: `Receipt for order ${data.orderId}`,
    ...greetingOf(data),
    paragraphs: [`Thank you. We received your payment on ${dateText(data.paidAt)}.`],
    table: [
      ...data.lines.map(({ title, amountPaise }) => ({
        label: title,
        amount: inRupees(amountPaise),
      })),
      ...(discountPaise > 0 ? [{ label: 'Discount', amount: inRupees(-discountPaise) }] : []),
      { label: 'Total', amount: inRupees(data.totalPaise) },
    ],
    button: orderButton(data.orderId),
  }
}

function orderButton(orderId: string) {
  return { label: 'See the order', path: `/orders/${pathPart(orderId)}` }
}

const DATE = new Intl.DateTimeFormat('en-IN', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'Asia/Kolkata',
})

function dateText(iso: string): string {
  return `${DATE.format(new Date(iso))} IST`
}
