import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { addAll, during, type While } from '../during.ts'
import { openFaults, type SmtpFault } from './faults.ts'
import { createInbox } from './inbox.ts'
import { parseMail, type Mail } from './parse.ts'

export type SmtpSandbox = {
  /** A value for SMTP_URL. */
  url: string
  /** A page with the mails, for a browser. */
  httpUrl: string
  /** All mails, or those to one address, oldest first. */
  mails(to?: string): Mail[]
  /** The newest mail to the address whose subject or text matches; waits for it. */
  waitForMail(to: string, match?: RegExp, timeoutMs?: number): Promise<Mail>
  /**
   * Lets these faults wait while `work` runs; those that are left then are taken away, also when it throws.
   */
  with: While<{ faults: readonly SmtpFault[] }>
  close(): Promise<void>
}

export type SmtpOptions = { port?: number; httpPort?: number; now?: () => Date }

export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpSandbox> {
  const now = options.now ?? (() => new Date())
  const mails: Mail[] = []
  const arrivals = new EventTarget()
  const waiting = openFaults()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onAuth: (_auth, _session, done) => {
      done(null, { user: 'anyone' })
    },
    onConnect: (_session, done) => {
      if (waiting.take('refuse')) done(refusal(421, 'Injected fault'))
      else done()
    },
    onData: (stream, session, done) => {
      const take = (received: Mail[]) => {
        const fault = waiting.take('hang', 'code')
        if (fault?.kind === 'hang') return
        if (fault) {
          done(refusal(fault.code ?? 451, 'Injected fault'))
          return
        }
        mails.push(...received)
        arrivals.dispatchEvent(new Event('mail'))
        done()
      }
      receive(stream, session).then(take, () => {
        done(refusal(451, 'The message did not come through'))
      })
    },
  })
  const receive = async (stream: SMTPServerDataStream, session: SMTPServerSession) => {
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks).toString('latin1')
    const receivedAt = now()
    return session.envelope.rcptTo.map(({ address }) => parseMail(raw, { to: address, receivedAt }))
  }
  // A client that leaves in the middle is the client's business.
  server.on('error', () => undefined)
  const inbox = createInbox(() => mails)
  const [port, httpPort] = await Promise.all([
    listen(server.server, options.port),
    listen(inbox, options.httpPort),
  ])
  const mailsTo = (to?: string) =>
    to === undefined ? [...mails] : mails.filter((mail) => mail.to === to)
  return {
    url: `smtp://127.0.0.1:${port}`,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    mails: mailsTo,
    async waitForMail(to, match = /(?:)/, timeoutMs = 10_000) {
      const signal = AbortSignal.timeout(timeoutMs)
      for (;;) {
        const found = mailsTo(to).findLast(({ subject, text }) => match.test(`${subject}\n${text}`))
        if (found) return found
        await once(arrivals, 'mail', { signal }).catch(() => {
          throw new Error(`No mail to ${to} matching ${String(match)} came`)
        })
      }
    },
    with: <T>({ faults }: { faults: readonly SmtpFault[] }, work: () => T) =>
      during(() => addAll(faults, waiting), work),
    async close() {
      for (const connection of server.connections) connection.close()
      inbox.closeAllConnections()
      await Promise.all([
        new Promise<void>((resolve) => {
          server.close(resolve)
        }),
        new Promise<void>((resolve) => {
          inbox.close(() => {
            resolve()
          })
        }),
      ])
    },
  }
}

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function refusal(code: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode: code })
}
