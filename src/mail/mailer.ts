import { createTransport } from 'nodemailer'
import { z } from 'zod'
import { withinTime } from '../deadline.ts'

export type OutgoingMail = {
  to: string
  subject: string
  text: string
  html: string
  /** The same for every attempt, so that a receiver can drop the second copy. */
  messageId?: string
}

export type MailFailure = Error & {
  readonly name: 'MailFailure'
  /** Whether another attempt could succeed; a permanent failure is about this very mail. */
  readonly kind: 'temporary' | 'permanent'
  readonly code?: number
}

export type Mailer = {
  /** Resolves when the server has taken the mail over; every failure is a MailFailure. */
  send(mail: OutgoingMail): Promise<void>
  close(): Promise<void>
}

export type MailerOptions = { smtpUrl: string; from: string; timeoutMs?: number }

/** A mailer over SMTP; no send takes longer than `timeoutMs`, 20 seconds unless told otherwise. */
export function openMailer({ smtpUrl, from, timeoutMs = 20_000 }: MailerOptions): Mailer {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
  })
  return {
    async send(mail) {
      requireSingleLines(mail)
      const sent = transport.sendMail({
        from,
        // An object, because a text is read as a list: "a@x.in, b@y.in" would go to both.
        to: { name: '', address: mail.to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(mail.messageId !== undefined && { messageId: mail.messageId }),
      })
      await withinTime(sent, timeoutMs, refuseToWait).catch((error: unknown) => {
        throw toMailFailure(error)
      })
    },
    close() {
      transport.close()
      return Promise.resolve()
    },
  }
}

/** Whether an error is one of `send`, about the mail or its server, and not a fault of ours. */
export function isMailFailure(error: unknown): error is MailFailure {
  return error instanceof Error && error.name === 'MailFailure'
}

function requireSingleLines({ to, subject, messageId = '' }: OutgoingMail): void {
  // nodemailer folds line breaks away today; that no attacker adds a header must not depend on it.
  const isOneLine = [to, subject, messageId].every((text) => !/[\p{Cc}\u2028\u2029]/u.test(text))
  const isOneAddress = /^[^\s@,;<>"]+@[^\s@,;<>"]+$/.test(to)
  if (!isOneLine || !isOneAddress) throw mailFailure('permanent', { detail: 'not one line' })
}

/** The transport's own timeouts restart with every answer, so a slow server could hold it for ever. */
function refuseToWait(): never {
  throw mailFailure('temporary', { detail: 'no answer in time' })
}

const SmtpError = z.object({ code: z.string().optional(), responseCode: z.number().optional() })

function toMailFailure(error: unknown): MailFailure {
  if (isMailFailure(error)) return error
  const { code, responseCode } = SmtpError.safeParse(error).data ?? {}
  // A 5xx to the greeting or the login is about us, and someone will mend it; the mail is good.
  const isAboutMail = code === 'EENVELOPE' || code === 'EMESSAGE'
  const isPermanent = isAboutMail && responseCode !== undefined && responseCode >= 500
  return mailFailure(isPermanent ? 'permanent' : 'temporary', {
    ...(responseCode !== undefined && { code: responseCode }),
    detail: code ?? 'unknown',
  })
}

// The server's own words are left out: they may quote the address or the credentials.
function mailFailure(
  kind: MailFailure['kind'],
  { code, detail }: { code?: number; detail: string },
): MailFailure {
  const number = code === undefined ? '' : ` ${code}`
  return Object.assign(new Error(`Mail: ${kind}${number}: ${detail}`), {
    name: 'MailFailure' as const,
    kind,
    ...(code !== undefined && { code }),
  })
}
