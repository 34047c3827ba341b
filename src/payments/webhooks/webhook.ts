import express, { Router, type Request, type RequestHandler } from 'express'
import type { Deps } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { answerError } from '../../http/answers.ts'
import { digestOf, processEvent, storeEvent } from './inbox.ts'

const MAX_BYTES = 1024 * 1024
// Razorpay counts an answer after five seconds as none.
const STORE_MS = 4_000
const SILENCE_MS = 60_000

/**
 * POST /razorpay: the raw bytes are checked before anything reads them, written down, and acknowledged; the work
 * comes after the answer. What cannot be written down is answered 503, so that Razorpay comes again.
 */
export function webhooks(deps: Deps): Router {
  const router = Router()
  const complain = complainer(deps)
  router.post(
    '/razorpay',
    // Not unpacked: Razorpay packs nothing, and a packed body can be a thousand times its size.
    express.raw({ type: 'application/json', limit: MAX_BYTES, inflate: false }),
    async (req, res) => {
      const body: unknown = req.body
      if (!Buffer.isBuffer(body)) throw new DomainError('UNSUPPORTED_MEDIA_TYPE')
      if (!deps.isWebhookSigned(body, req.get('x-razorpay-signature') ?? '')) {
        complain(req)
        throw new DomainError('SIGNATURE_INVALID')
      }
      const stored = await inTime(storeEvent(deps, { eventId: eventIdOf(req, body), body })).catch(
        (error: unknown) => {
          deps.log.warn({ err: error }, 'webhook not stored')
          throw new DomainError('UNAVAILABLE')
        },
      )
      res.json({ status: 'ok' })
      if (stored !== null) deps.background.run(() => processEvent(deps, stored))
    },
  )
  router.all('/razorpay', refuseMethod)
  return router
}

const refuseMethod: RequestHandler = (_req, res) => {
  res.set('allow', 'POST')
  answerError(res, new DomainError('METHOD_NOT_SUPPORTED'))
}

/** The header is outside the signature: it only spares work, and what is odd is replaced by the body's digest. */
function eventIdOf(req: Request, body: Buffer): string {
  const given = req.get('x-razorpay-event-id') ?? ''
  return /^[\w-]{1,64}$/.test(given) ? given : digestOf(body)
}

/** One line a minute, however many forged calls come. */
function complainer({ log, now }: Deps): (req: Request) => void {
  let saidAt: number | null = null
  let unsaid = 0
  return (req) => {
    const at = now().getTime()
    unsaid += 1
    if (saidAt !== null && at >= saidAt && at - saidAt < SILENCE_MS) return
    log.warn({ network: req.ip, count: unsaid }, 'webhook with a bad signature')
    saidAt = at
    unsaid = 0
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the database did not answer in time'))
    }, STORE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
