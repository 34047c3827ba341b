import express, { Router, type Request, type RequestHandler } from 'express'
import { withinTime } from '../../deadline.ts'
import type { Uses } from '../../deps.ts'
import { SECOND_MS, MINUTE_MS } from '../../durations.ts'
import { DomainError } from '../../errors.ts'
import type { PaymentGateway } from '../../gateways/payments.ts'
import { answerError } from '../../http/answers.ts'
import { processEvent, storeEvent } from './inbox.ts'

const MAX_BYTES = 1024 * 1024
// Of the time that the gateway gives, for the way there and back.
const ON_THE_WAY_MS = SECOND_MS
const SILENCE_MS = MINUTE_MS

/**
 * POST /:gateway: the raw bytes are checked before anything reads them, written down, and acknowledged; the work
 * comes after the answer. What cannot be written down is answered 503, so that the gateway comes again.
 */
export function webhooks(
  deps: Uses<'db' | 'now' | 'gateways' | 'background' | 'log' | 'settings'>,
): Router {
  const router = Router()
  for (const gateway of deps.gateways.all) {
    const path = `/${gateway.name}`
    router.post(
      path,
      // Not unpacked: gateways pack nothing, and a packed body can be a thousand times its size.
      express.raw({ type: gateway.webhooks.contentType, limit: MAX_BYTES, inflate: false }),
      receive(deps, gateway),
    )
    router.all(path, refuseMethod)
  }
  return router
}

function receive(
  deps: Uses<'db' | 'now' | 'gateways' | 'background' | 'log' | 'settings'>,
  gateway: PaymentGateway,
): RequestHandler {
  const complain = complainer(deps)
  return async (req, res) => {
    const body: unknown = req.body
    if (!Buffer.isBuffer(body)) throw new DomainError('UNSUPPORTED_MEDIA_TYPE')
    const event = gateway.readEvent(body, (name) => req.get(name))
    if (!event) {
      complain(req)
      throw new DomainError('SIGNATURE_INVALID')
    }
    const storing = storeEvent(deps, { ...event, gateway: gateway.name, body })
    const storeMs = gateway.webhooks.answerWithinMs - ON_THE_WAY_MS
    const stored = await withinTime(storing, storeMs, refuseLate).catch((error: unknown) => {
      deps.log.warn({ err: error }, 'webhook not stored')
      throw new DomainError('UNAVAILABLE')
    })
    res.json({ status: 'ok' })
    if (stored !== null) deps.background.run(() => processEvent(deps, stored))
  }
}

function refuseLate(): never {
  throw new Error('the database did not answer in time')
}

const refuseMethod: RequestHandler = (_req, res) => {
  res.set('allow', 'POST')
  answerError(res, new DomainError('METHOD_NOT_SUPPORTED'))
}

/** One line a minute, however many forged calls come. */
function complainer({ log, now }: Uses<'now' | 'log'>): (req: Request) => void {
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
