export type Mail = {
  from: string
  to: string
  subject: string
  text: string
  html: string
  /** By lower-case name; a repeated header keeps all its values. */
  headers: Record<string, string[]>
  receivedAt: Date
}

/** Reads what nodemailer writes: folded headers, encoded words, multipart/alternative. */
export function parseMail(raw: string, envelope: { to: string; receivedAt: Date }): Mail {
  const { headers, body } = splitPart(raw)
  const mail = { text: '', html: '' }
  readBody({ headers, body }, mail)
  return {
    ...envelope,
    ...mail,
    from: decodeWords(first(headers, 'from')),
    subject: decodeWords(first(headers, 'subject')),
    headers,
  }
}

type Part = { headers: Record<string, string[]>; body: string }

function splitPart(raw: string): Part {
  const [, head = '', body = ''] = /^([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(raw) ?? ['', raw]
  const headers: Record<string, string[]> = {}
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon).toLowerCase()
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 1).trim()]
  }
  return { headers, body }
}

function readBody(part: Part, into: { text: string; html: string }): void {
  const type = first(part.headers, 'content-type')
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary !== undefined) {
    for (const piece of part.body.split(`--${boundary}`).slice(1, -1)) {
      readBody(splitPart(piece.replace(/^\r\n/, '').replace(/\r\n$/, '')), into)
    }
    return
  }
  const content = decodeBody(part).replaceAll('\r\n', '\n').trimEnd()
  if (type.startsWith('text/html')) into.html = content
  else into.text = content
}

function decodeBody({ headers, body }: Part): string {
  const encoding = first(headers, 'content-transfer-encoding').toLowerCase()
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  if (encoding === 'quoted-printable') return decodeQuoted(body.replace(/=\r\n/g, ''))
  return Buffer.from(body, 'latin1').toString('utf8')
}

function decodeQuoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_match, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_match, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replaceAll('_', ' ')),
    )
}

function first(headers: Part['headers'], name: string): string {
  return headers[name]?.[0] ?? ''
}
