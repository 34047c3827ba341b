import { Router } from 'express'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { readiness } from '../readiness.ts'

/** /healthz: the process answers. /readyz: it can serve, since the database answers; else UNAVAILABLE. */
export function health(deps: Uses<'db' | 'log'>): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const isReady = readiness(deps)
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' })
  })
  router.get('/readyz', async (_req, res) => {
    if (!(await isReady())) throw new DomainError('UNAVAILABLE')
    res.json({ status: 'ready' })
  })
  return router
}
