import type { ServerResponse } from 'node:http'

export type FaultKind =
  | 'hang'
  | 'throttle'
  | 'error'
  | 'garbage'
  | 'reset'
  | 'slow'
  | 'drip'
  | 'redirect'
  | 'huge'
  | 'odd'

export type Fault = {
  /** A route as the routes name it, `POST /payments/:id/refund`, or `*` for every one. */
  route: string
  /**
   * hang: no answer; throttle: 429; error: an HTML page with `status` (default 502); garbage: 200 with HTML;
   * reset: the connection breaks; slow: the right answer after `ms`; drip: the answer a byte at a time, `ms`
   * apart; redirect: 302 to `location`; huge: a 200 of 4 MB; odd: the right answer, but for the status of its
   * entity, or of the first of a list, which is a word that is new.
   */
  kind: FaultKind
  /** Do the work first, then misbehave: the caller cannot know. Always so for slow, drip and odd. */
  commit?: boolean | undefined
  /** How many requests it strikes, default 1. */
  times?: number | undefined
  /** The HTTP status of an error. */
  status?: number | undefined
  /** Milliseconds, for slow (default 1000) and drip (default 50). */
  ms?: number | undefined
  location?: string | undefined
}

export type Faults = {
  /** Waits to strike until it has struck often enough, or until the function answered takes it away. */
  add: (fault: Fault) => () => void
  clear: () => void
  /** Those that still wait. */
  list: () => readonly Fault[]
  /** The first that waits for this route, which has struck once more now. */
  take: (route: string) => Fault | null
}

/** None yet. */
export function openFaults(): Faults {
  let waiting: (Fault & { times: number })[] = []
  return {
    add: (fault) => {
      const added = { ...fault, times: fault.times ?? 1 }
      waiting.push(added)
      return () => {
        waiting = waiting.filter((one) => one !== added)
      }
    },
    clear: () => {
      waiting = []
    },
    list: () => waiting,
    take: (route) => {
      const fault = waiting.find((one) => one.route === route || one.route === '*')
      if (!fault) return null
      fault.times -= 1
      waiting = waiting.filter(({ times }) => times > 0)
      return fault
    },
  }
}

/** Whether what was asked is done all the same. */
export function worksFirst({ kind, commit }: Fault): boolean {
  return commit === true || kind === 'slow' || kind === 'drip' || kind === 'odd'
}

const ERROR_PAGE =
  '<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>'

/** Answers in the fault's way; `right` is what would have been answered. */
export function misbehave(
  fault: Fault,
  response: ServerResponse,
  right: { status: number; text: string },
): void {
  const json = { 'Content-Type': 'application/json' }
  const html = { 'Content-Type': 'text/html' }
  switch (fault.kind) {
    case 'hang':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'throttle':
      response.writeHead(429, json).end(
        JSON.stringify({
          error: {
            code: 'BAD_REQUEST_ERROR',
            description: 'Request failed. Please try after sometime.',
          },
        }),
      )
      return
    case 'error':
      response.writeHead(fault.status ?? 502, html).end(ERROR_PAGE)
      return
    case 'garbage':
      response.writeHead(200, html).end('<html><body>Scheduled maintenance</body></html>')
      return
    case 'redirect':
      response.writeHead(302, { Location: fault.location ?? '/v1/elsewhere' }).end()
      return
    case 'huge':
      response.writeHead(200, json).end(`"${'x'.repeat(4 * 1024 * 1024)}"`)
      return
    case 'slow':
      setTimeout(() => response.writeHead(right.status, json).end(right.text), fault.ms ?? 1000)
      return
    case 'drip':
      drip(response, right, fault.ms ?? 50)
      return
    case 'odd':
      response
        .writeHead(right.status, json)
        .end(right.status === 200 ? oddly(right.text) : right.text)
  }
}

type Answer = { status?: string; items?: { status?: string }[] }

function oddly(text: string): string {
  const answer = JSON.parse(text) as Answer
  const entity = answer.items ? answer.items[0] : answer
  if (entity) entity.status = 'a word that is new'
  return JSON.stringify(answer)
}

function drip(response: ServerResponse, right: { status: number; text: string }, ms: number): void {
  response.writeHead(right.status, { 'Content-Type': 'application/json' })
  let sent = 0
  const timer = setInterval(() => {
    if (sent >= right.text.length || response.destroyed) {
      clearInterval(timer)
      response.end()
      return
    }
    response.write(right.text.charAt(sent))
    sent += 1
  }, ms)
}
