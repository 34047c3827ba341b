import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { SmtpFault } from '../../sandbox/smtp/faults.ts'
import { startSmtp } from '../../sandbox/smtp/server.ts'
import { openMailer, type OutgoingMail } from '../../src/mail/mailer.ts'

const smtp = await startSmtp()
const from = 'Gurukul <no-reply@gurukul.test>'
const mailer = openMailer({ smtpUrl: smtp.url, from })
const impatient = openMailer({ smtpUrl: smtp.url, from, timeoutMs: 300 })

/** Sends while this fault waits. */
const sendUnder = (fault: SmtpFault, mail: OutgoingMail, client = mailer) =>
  smtp.with({ faults: [fault] }, () => client.send(mail))

const MAIL = { subject: 'Hello', text: 'A text', html: '<p>A page</p>' }

test('a mail arrives as it was written, in any script', async () => {
  const mail = {
    to: 'asha@example.in',
    subject: 'नमस्ते – your receipt for “Ganit & Vigyan”, which is a rather long subject line',
    text: `₹1,234.00\n\n${'A long line about nothing in particular. '.repeat(10)}\n.\nafter a dot`,
    html: '<p style="color:#222">₹1,234.00 = अच्छा</p>',
  }
  await mailer.send({ ...mail, messageId: '<receipt-1@gurukul.test>' })
  const received = await smtp.waitForMail(mail.to)
  expect(received).toMatchObject({ ...mail, from })
  expect(received.headers['message-id']).toEqual(['<receipt-1@gurukul.test>'])
})

test('the newest of several that match is the one waited for', async () => {
  await mailer.send({ ...MAIL, to: 'many@example.in', text: 'token=1' })
  await mailer.send({ ...MAIL, to: 'many@example.in', text: 'token=2' })
  await mailer.send({ ...MAIL, to: 'many@example.in', text: 'something else' })
  expect((await smtp.waitForMail('many@example.in', /token/)).text).toBe('token=2')
  expect(smtp.mails('many@example.in')).toHaveLength(3)
  await expect(smtp.waitForMail('nobody@example.in', /x/, 50)).rejects.toThrow('No mail to nobody')
})

test('a developer reads the mails in a browser, where they can run nothing', async () => {
  const to = 'browser@example.in'
  await mailer.send({ ...MAIL, to, subject: '<script>alert(1)</script>' })
  const response = await fetch(smtp.httpUrl)
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  const page = await response.text()
  expect(page).toContain('&lt;script>alert(1)')
  expect(page).not.toContain('<script>')
  const list = (await (await fetch(`${smtp.httpUrl}/mails.json`)).json()) as { to: string }[]
  expect(list.map((mail) => mail.to)).toContain(to)
})

describe('a mail is refused for good', () => {
  test.each([
    ['two addresses', { to: 'a@example.in, b@example.in' }],
    ['a list with a semicolon', { to: 'a@example.in;b@example.in' }],
    ['a name around the address', { to: 'A <a@example.in>' }],
    ['no address', { to: '' }],
    ['a header behind the address', { to: 'a@example.in\r\nBcc: b@example.in' }],
    ['a header behind the subject', { subject: 'Hi\r\nBcc: b@example.in' }],
    ['a lone line feed in the subject', { subject: 'Hi\nBcc: b@example.in' }],
    ['a header behind the id', { messageId: '<a@b>\r\nBcc: b@example.in' }],
  ])('with %s', async (_what, change) => {
    const count = smtp.mails().length
    const sent = mailer.send({ ...MAIL, to: 'a@example.in', ...change })
    await expect(sent).rejects.toMatchObject({ name: 'MailFailure', kind: 'permanent' })
    expect(smtp.mails().length).toBe(count)
  })

  test('when the server says so', async () => {
    const sent = sendUnder({ kind: 'code', code: 552 }, { ...MAIL, to: 'a@example.in' })
    await expect(sent).rejects.toMatchObject({ kind: 'permanent', code: 552 })
  })
})

describe('a mail may be sent again', () => {
  test('after a temporary answer', async () => {
    const mail = { ...MAIL, to: 'again@example.in' }
    const sent = sendUnder({ kind: 'code', code: 451 }, mail)
    await expect(sent).rejects.toMatchObject({ kind: 'temporary', code: 451 })
    await mailer.send(mail)
    expect(smtp.mails('again@example.in')).toHaveLength(1)
  })

  test('after a refused connection', async () => {
    const sent = sendUnder({ kind: 'refuse' }, { ...MAIL, to: 'a@example.in' })
    await expect(sent).rejects.toMatchObject({ kind: 'temporary' })
  })

  test('after a server that did not answer in time', async () => {
    const sent = sendUnder({ kind: 'hang' }, { ...MAIL, to: 'a@example.in' }, impatient)
    await expect(sent).rejects.toMatchObject({ kind: 'temporary' })
  })

  test('when there is no server, without telling the password', async () => {
    const smtpUrl = 'smtp://user:a-password-nobody-may-see@127.0.0.1:1'
    const sent = openMailer({ smtpUrl, from }).send({ ...MAIL, to: 'a@example.in' })
    const error: unknown = await sent.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'temporary' })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('nobody-may-see')
  })
})

test('a fault ends with what was done under it, also when that throws', async () => {
  const fault: SmtpFault = { kind: 'code', code: 552, times: 9 }
  const fails = smtp.with({ faults: [fault] }, () =>
    Promise.reject(new Error('the test failed here')),
  )
  await expect(fails).rejects.toThrow('the test failed here')
  await mailer.send({ ...MAIL, to: 'later@example.in' })
  expect(smtp.mails('later@example.in')).toHaveLength(1)
})

test('a closed server keeps nobody waiting', async () => {
  const other = await startSmtp()
  const client = openMailer({ smtpUrl: other.url, from })
  const sent = other.with({ faults: [{ kind: 'hang' }] }, () =>
    client.send({ ...MAIL, to: 'a@example.in' }),
  )
  const failed = expect(sent).rejects.toMatchObject({ kind: 'temporary' })
  await new Promise((resolve) => setTimeout(resolve, 100))
  await other.close()
  await failed
  await client.close()
})
