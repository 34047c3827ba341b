import { once } from 'node:events'
import { Router, type Response } from 'express'
import type { Actor } from '../../auth/sessions.ts'
import { requireActor } from '../../context.ts'
import type { Deps, Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import type { Caller } from '../../http/at-once.ts'
import { networkOf } from '../../http/network.ts'
import type { PersonalData } from '../../personal-data.ts'
import { exportedUser } from '../export.ts'

/** No list of a download is longer than this; `complete` says whether one was cut, newest kept. */
const MOST_ROWS = 10_000

/**
 * GET /account: everything that is kept of a person as a file of JSON, the same as `account.export` and without
 * its bound of bytes. It is written list by list, each only when the one before was taken. Throws
 * UNAUTHENTICATED, TOO_MANY_REQUESTS or UNAVAILABLE.
 */
export function exportDownloads(deps: Deps, rooms: readonly PersonalData[]): Router {
  const router = Router()
  router.get('/account', async (req, res) => {
    const actor = await requireActor(deps, req, res)
    const caller = { account: actor.id, network: networkOf(req.ip) }
    await deps.limitHeavy.count(caller)
    try {
      await writeExport({ ...deps, rooms, caller }, actor, res)
    } catch (error) {
      // Whoever is gone is told nothing.
      if (!res.closed) throw error
    }
  })
  router.all('/account', () => {
    throw new DomainError('METHOD_NOT_SUPPORTED')
  })
  return router
}

type Needs = Uses<'db' | 'now' | 'heavyAtOnce'> & {
  rooms: readonly PersonalData[]
  caller: Caller
}

async function writeExport(
  { rooms, caller, ...deps }: Needs,
  actor: Pick<Actor, 'id'>,
  res: Response,
): Promise<void> {
  const user = await exportedUser(deps, actor)
  const write = writerTo(res)
  let complete = true
  let before = `{"exportedAt":${JSON.stringify(deps.now())},"user":${JSON.stringify(user)}`
  for (const [name, newest] of rooms.flatMap(({ lists }) => Object.entries(lists))) {
    // Only reading takes a turn: whoever is slow to take what was read keeps nobody waiting. Nothing is sent
    // before the first turn, which may be refused.
    const rows = await deps.heavyAtOnce(caller, () => newest(deps, actor.id, MOST_ROWS))
    complete &&= rows.length < MOST_ROWS
    if (!res.headersSent) res.type('json').attachment('account.json')
    await write(`${before},${JSON.stringify(name)}:[`)
    for (const [at, row] of rows.entries())
      await write(`${at === 0 ? '' : ','}${JSON.stringify(row)}`)
    before = ']'
  }
  await write(`${before},"complete":${complete}}`)
  res.end()
}

/** Waits until what was written is taken; rejects once nobody is there to take it. */
function writerTo(res: Response): (text: string) => Promise<void> {
  const closed = new AbortController()
  res.once('close', () => {
    closed.abort()
  })
  return async (text) => {
    closed.signal.throwIfAborted()
    if (!res.write(text)) await once(res, 'drain', { signal: closed.signal })
  }
}
