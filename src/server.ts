import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from './app.ts'
import type { Deps } from './deps.ts'
import { SECOND_MS } from './durations.ts'
import { limitConnections } from './http/connections.ts'
import { answerUnreadable, RAW_BODY, RAW_HEADERS } from './http/raw.ts'
import { startJobs, type Job } from './jobs.ts'
import { TIMEOUTS, type Timeouts } from './http/timeouts.ts'

const DRAIN_MS = 10 * SECOND_MS
const MAX_HEADER_BYTES = 16 * 1024

/** A server that listens; `stop` resolves when it and everything it used is closed. */
export type Running = { url: string; stop: () => Promise<void> }

type Listen = { host: string; port: number; jobs: Job[]; timeouts?: Timeouts }

/** Listens and works until stopped; `stop` lets requests under way finish, for 10 seconds at most. */
export async function serve(
  deps: Deps,
  { host, port, jobs, timeouts = TIMEOUTS }: Listen,
): Promise<Running> {
  const server = createServer(
    {
      headersTimeout: timeouts.headers,
      requestTimeout: timeouts.request,
      keepAliveTimeout: timeouts.idle,
      connectionsCheckingInterval: timeouts.check,
      insecureHTTPParser: false,
      // Ours to refuse, in words of ours (http/guards).
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    createApp(deps, timeouts),
  )
  limitConnections(server, { isDirect: deps.settings.trustProxy === 0 })
  server.on('clientError', answerUnreadable)
  server.on('checkExpectation', (_req, res) => {
    res.writeHead(417, RAW_HEADERS).end(RAW_BODY)
  })
  await listen(server, { host, port })
  const workers = startJobs(deps, jobs)
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop: async () => {
      await Promise.all([drain(server), workers.stop()])
      await deps.close()
    },
  }
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections()
    }, DRAIN_MS)
    // A connection that falls idle only now would be kept for its next request.
    const sweep = setInterval(() => {
      server.closeIdleConnections()
    }, 100)
    server.close(() => {
      clearTimeout(cut)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
