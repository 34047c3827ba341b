import { expect, test } from 'vitest'
import { startSmtp } from '../../sandbox/smtp/server.ts'
import { openMailer } from '../../src/mail/mailer.ts'
import { Mail } from '../../src/mail/mail.ts'
import { composeMail } from '../../src/mail/messages.ts'

const site = { appName: 'Gurukul', siteUrl: 'https://learn.example.in' }
const at = '2026-11-22T18:30:00.000Z'
const EVIL = '"><img src=x onerror=alert(1)>\r\nBcc: everyone@example.in\u2028<a href="//evil">'

/** One of each kind, with whatever a stranger may choose set to `text`. */
function oneOfEach(text: string): Mail[] {
  return [
    { template: 'verify-email', data: { token: text } },
    { template: 'reset-password', data: { name: text, token: text } },
    { template: 'password-changed', data: { name: text, at } },
    { template: 'new-sign-in', data: { name: text, at, device: text, address: text } },
    { template: 'second-factor-changed', data: { at, change: 'off' } },
    {
      template: 'receipt',
      data: {
        name: text,
        orderId: text,
        lines: [{ title: text, amountPaise: 49_900 }],
        totalPaise: 49_900,
        paidAt: at,
      },
    },
    { template: 'enrolled', data: { name: text, courseTitle: text, courseSlug: text } },
    { template: 'refund', data: { name: text, orderId: text, amountPaise: 49_900 } },
    { template: 'confirm-new-address', data: { token: text } },
    { template: 'confirm-old-address', data: { name: text, token: text } },
    { template: 'email-change-asked', data: { name: text, at } },
    { template: 'email-changed', data: { name: text, token: text } },
    {
      template: 'late-payment',
      data: { orderId: text, amountPaise: 49_900, fault: text, isTaken: true },
    },
    { template: 'order-review', data: { orderId: text, reason: text } },
  ]
}

test('every kind of mail the product knows is written', () => {
  const kinds = Mail.options.map((option) => option.shape.template.value)
  expect(oneOfEach('x').map(({ template }) => template)).toEqual(kinds)
})

test('a mail survives the outbox, where it lies as JSON', () => {
  for (const mail of oneOfEach('Asha')) {
    expect(Mail.parse(JSON.parse(JSON.stringify(mail)))).toEqual(mail)
  }
  expect(Mail.safeParse({ template: 'unknown', data: {} }).success).toBe(false)
})

test('the link to confirm an address carries the token whole', () => {
  const token = 'a+b/c=&d'
  const { text } = composeMail(site, { template: 'verify-email', data: { token } })
  const link = new URL(/https:\S+/.exec(text)?.[0] ?? '')
  expect(link.origin + link.pathname).toBe('https://learn.example.in/verify-email')
  expect(link.searchParams.get('token')).toBe(token)
})

test('a receipt lists what was bought and adds up in rupees', () => {
  const { subject, text, html } = composeMail(site, {
    template: 'receipt',
    data: {
      name: 'Asha',
      orderId: '656f1f77bcf86cd799439011',
      lines: [
        { title: 'Algebra', amountPaise: 12_345_678 },
        { title: 'Geometry', amountPaise: 100 },
      ],
      discountPaise: 50,
      totalPaise: 12_345_728,
      paidAt: at,
    },
  })
  expect(subject).toBe('Receipt for order 656f1f77bcf86cd799439011')
  for (const line of ['Algebra: ₹1,23,456.78', 'Geometry: ₹1.00', 'Discount: -₹0.50']) {
    expect(text).toContain(line)
  }
  expect(text).toContain('Total: ₹1,23,457.28')
  expect(html).toContain('₹1,23,457.28')
  expect(text).toContain('23 November 2026')
})

test.each(oneOfEach(EVIL))(
  'what people call themselves stays text in the mail $template',
  (mail) => {
    const { subject, text, html } = composeMail(site, mail)
    expect(subject).not.toMatch(/[\r\n\u2028]/)
    expect(text).not.toMatch(/^Bcc:/m)
    expect(html).not.toContain('<img')
    expect(html.match(/<a /g)).toHaveLength(1)
    expect(html).toContain('<a href="https://learn.example.in/')
  },
)

test.each(['..', '../../evil', '//evil.example', '\\\\evil.example', 'a?b#c', '%2e%2e/x'])(
  'the course %j does not lead the link elsewhere',
  (courseSlug) => {
    const { text } = composeMail(site, {
      template: 'enrolled',
      data: { name: 'Asha', courseTitle: 'x', courseSlug },
    })
    const link = new URL(/https:\S+/.exec(text)?.[0] ?? '')
    expect(link.origin).toBe('https://learn.example.in')
    expect(link.search + link.hash).toBe('')
    expect(link.pathname).toMatch(/^\/courses\//)
  },
)

test('nothing a person chose becomes a header of the mail that is sent', async () => {
  const smtp = await startSmtp()
  const mailer = openMailer({ smtpUrl: smtp.url, from: 'Gurukul <no-reply@gurukul.test>' })
  for (const mail of oneOfEach(EVIL)) {
    await mailer.send({ to: 'asha@example.in', ...composeMail(site, mail) })
  }
  const mails = smtp.mails()
  expect(mails).toHaveLength(oneOfEach('x').length)
  const known = ['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type']
  for (const { to, headers } of mails) {
    expect(to).toBe('asha@example.in')
    expect(Object.keys(headers).sort()).toEqual([...known].sort())
  }
  await mailer.close()
  await smtp.close()
})
