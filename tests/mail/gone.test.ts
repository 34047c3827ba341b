import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { openMailer } from '../../src/mail/mailer.ts'
import { startSmtp } from '../../sandbox/smtp/server.ts'

it('a client that leaves in the middle of a message leaves the sandbox standing', async () => {
  const smtp = await startSmtp()
  const socket = connect(Number(new URL(smtp.url).port), '127.0.0.1')
  const commands = ['EHLO x', 'MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>', 'DATA']
  await once(socket, 'data')
  for (const command of commands) {
    socket.write(`${command}\r\n`)
    await once(socket, 'data')
  }
  socket.write('Subject: half\r\n\r\nhalf a')
  socket.destroy()
  const mailer = openMailer({ smtpUrl: smtp.url, from: 'Gurukul <no-reply@example.test>' })
  await mailer.send({ to: 'c@example.test', subject: 'whole', text: 'whole', html: '<p>whole</p>' })
  expect(smtp.mails().map(({ subject }) => subject)).toEqual(['whole'])
  await mailer.close()
  await smtp.close()
})
