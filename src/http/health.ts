import { Router } from 'express'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'

/** /healthz: the process answers. /readyz: it can serve, since the database answers; else UNAVAILABLE. */
export function health({ db, log }: Uses<'db' | 'log'>): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const isReady = shared(async () => {
    try {
      await db.ping()
      return true
    } catch (error) {
      log.warn({ err: error }, 'the database does not answer')
      return false
    }
  })
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' })
  })
  router.get('/readyz', async (_req, res) => {
    if (!(await isReady())) throw new DomainError('UNAVAILABLE')
    res.json({ status: 'ready' })
  })
  return router
}

/** These paths have no limit, so a crowd at one of them shares a single question to the database. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | null = null
  return () =>
    (asking ??= ask().finally(() => {
      asking = null
    }))
}
