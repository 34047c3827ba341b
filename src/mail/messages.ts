import { z } from 'zod'
import { addressMail } from './address-mails.ts'
import { inRupees, pathPart, renderMessage, type Message, type Site } from './layout.ts'

// Said only when the mail is sent: a squatter who registered the address chose the name, and would be speaking
// through us.
const greeted = { name: z.string().exactOptional() }
const token = z.string()
const paise = z.number().int()
const at = z.iso.datetime()
const line = z.object({ title: z.string(), amountPaise: paise })

const FACTOR_CHANGES = {
  on: 'It was turned on, and is asked for at every sign-in.',
  off: 'It was taken away in your account.',
  'codes-renewed': 'It has new recovery codes; the old ones open nothing any more.',
  'taken-by-administrator': 'An administrator took it away, and all devices were signed out.',
  'taken-by-new-password':
    'It was made before anybody had shown that this address is theirs, so it went with the old password. If it was yours, set it up again.',
} as const

/** What became of a second factor. */
export type FactorChange = keyof typeof FACTOR_CHANGES

/** Everything the product can write, as it lies in the outbox: plain JSON, times as ISO texts. */
export const Mail = z.discriminatedUnion('template', [
  z.object({ template: z.literal('verify-email'), data: z.object({ token }) }),
  z.object({ template: z.literal('reset-password'), data: z.object({ ...greeted, token }) }),
  z.object({ template: z.literal('password-changed'), data: z.object({ ...greeted, at }) }),
  z.object({
    template: z.literal('new-sign-in'),
    data: z.object({ ...greeted, at, device: z.string(), address: z.string() }),
  }),
  z.object({
    template: z.literal('second-factor-changed'),
    data: z.object({ at, change: z.enum(Object.keys(FACTOR_CHANGES) as FactorChange[]) }),
  }),
  z.object({
    template: z.literal('receipt'),
    data: z.object({
      ...greeted,
      orderId: z.string(),
      lines: z.array(line),
      discountPaise: paise.exactOptional(),
      totalPaise: paise,
      paidAt: at,
    }),
  }),
  z.object({
    template: z.literal('enrolled'),
    data: z.object({
      ...greeted,
      courseTitle: z.string(),
      courseSlug: z.string(),
      isFree: z.boolean().exactOptional(),
    }),
  }),
  z.object({
    template: z.literal('refund'),
    data: z.object({ ...greeted, orderId: z.string(), amountPaise: paise }),
  }),
  z.object({ template: z.literal('confirm-new-address'), data: z.object({ token }) }),
  z.object({
    template: z.literal('confirm-old-address'),
    data: z.object({ ...greeted, token }),
  }),
  z.object({ template: z.literal('email-change-asked'), data: z.object({ ...greeted, at }) }),
  z.object({ template: z.literal('email-changed'), data: z.object({ ...greeted, token }) }),
  z.object({
    template: z.literal('late-payment'),
    data: z.object({
      orderId: z.string(),
      amountPaise: paise,
      fault: z.string(),
      isTaken: z.boolean(),
    }),
  }),
  z.object({
    template: z.literal('order-review'),
    data: z.object({ orderId: z.string(), reason: z.string() }),
  }),
])
export type Mail = z.infer<typeof Mail>

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
