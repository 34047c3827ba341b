// Everything secret that this file's tests have used: what went over the line under a telling name, and every
// session. When the file ends, none of it may be found in the server's log or in the audit log.
const TELLING =
  /^(password|current|next|token|secret|uri|signature|razorpay_signature|recoveryCodes|email)$/
// Shorter texts, such as six digits of an authenticator, also occur by chance; and single words, as attackers
// send them for passwords, stand in every log.
const LEAST_LENGTH = 8
const WORD = /^[a-z_]+$/i

const known = new Set<string>()

export function keepSecret(text: string): void {
  if (text.length >= LEAST_LENGTH && !WORD.test(text)) known.add(text)
}

/** Learns the secrets of a request's or an answer's body, whatever it is. */
export function learnFrom(body: unknown): void {
  if (typeof body !== 'string') return
  try {
    collect(JSON.parse(body), '')
  } catch {
    // It was no JSON.
  }
}

function collect(value: unknown, name: string): void {
  if (typeof value === 'string' && TELLING.test(name)) keepSecret(value)
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) collect(item, Array.isArray(value) ? name : key)
}

/** The lines that hold a secret, which are none. */
export function linesWithSecrets(lines: string[]): string[] {
  const secrets = [...known]
  return lines.filter((line) => secrets.some((secret) => line.includes(secret)))
}

/** Another file has secrets of its own. */
export function forgetSecrets(): void {
  known.clear()
}
