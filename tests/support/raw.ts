import { connect, type Socket } from 'node:net'

export type RawAnswer = { status: number; headers: Headers; body: string; isClosed: boolean }

/** A line to the server on which anything can be said: HTTP clients are too polite to attack with. */
export type Wire = {
  socket: Socket
  send: (bytes: string | Buffer) => void
  /** The next whole answer; it fails when the line is closed before there is one. */
  answer: () => Promise<RawAnswer>
  closed: Promise<void>
}

export function openWire(url: string, localAddress?: string): Wire {
  const { hostname, port } = new URL(url)
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port),
    ...(localAddress !== undefined && { localAddress }),
  })
  let received = ''
  let isClosed = false
  let wake: () => void = () => undefined
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    wake()
  })
  // A cut is what many of these tests wait for; 'close' follows it.
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true
      wake()
      resolve()
    })
  })
  const answer = async () => {
    for (;;) {
      const parsed = parse(received)
      if (parsed) {
        received = received.slice(parsed.length)
        return { ...parsed.answer, isClosed }
      }
      if (isClosed) throw new Error(`The line was closed after: ${JSON.stringify(received)}`)
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return { socket, send: (bytes) => void socket.write(bytes), answer, closed }
}

/** One request on a line of its own. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const wire = openWire(url)
  wire.send(bytes)
  const answer = await wire.answer()
  wire.socket.destroy()
  return answer
}

/** Puts a request together from lines, with Host in front unless there is one. */
export function request(first: string, headers: string[] = [], body = ''): string {
  const host = headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: localhost']
  return [`${first} HTTP/1.1`, ...host, ...headers, '', body].join('\r\n')
}

type Parsed = { answer: Omit<RawAnswer, 'isClosed'>; length: number }

function parse(text: string): Parsed | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1])
  if (status === 100) {
    const rest = parse(text.slice(end + 4))
    return rest && { ...rest, length: rest.length + end + 4 }
  }
  const headers = new Headers()
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? []
    headers.append(name, value)
  }
  const start = end + 4
  if (headers.get('transfer-encoding') === 'chunked') {
    const stop = /(^|\r\n)0\r\n\r\n/.exec(text.slice(start))
    if (!stop) return null
    const chunks = text.slice(start, start + stop.index)
    const length = start + stop.index + stop[0].length
    return { answer: { status, headers, body: joined(chunks) }, length }
  }
  const length = start + Number(headers.get('content-length') ?? 0)
  if (text.length < length) return null
  return { answer: { status, headers, body: text.slice(start, length) }, length }
}

function joined(chunks: string): string {
  let body = ''
  let rest = chunks
  while (rest !== '') {
    const [line = ''] = rest.split('\r\n', 1)
    const size = Number.parseInt(line, 16)
    body += rest.slice(line.length + 2, line.length + 2 + size)
    rest = rest.slice(line.length + 4 + size)
  }
  return body
}
