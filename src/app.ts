import { createExpressMiddleware } from '@trpc/server/adapters/express'
import cookieParser from 'cookie-parser'
import cors from 'cors'
import express, { type Express, type RequestHandler } from 'express'
import helmet from 'helmet'
import { callerOf, contextOf } from './context.ts'
import type { Deps } from './deps.ts'
import { forbidCaching, handleErrors, holdBatches, notFound } from './http/answers.ts'
import { limitBodyTime, MAX_BODY_BYTES, readInput, refuseLongerThan } from './http/body.ts'
import {
  answerOptions,
  refuseDuplicates,
  refuseDuplicateSessions,
  refuseForeignOrigins,
  refuseOddHeaders,
  refuseOddPaths,
  refuseOtherMethods,
} from './http/guards.ts'
import { health } from './http/health.ts'
import { limitHeldAnswers } from './http/held-answers.ts'
import { leanQueries, type Failure } from './http/lean-query.ts'
import { limitCallers, limitNetworks } from './http/limits.ts'
import { limitAnswerTime } from './http/slow-readers.ts'
import { TIMEOUTS } from './http/timeouts.ts'
import { receipts } from './invoices/receipt.ts'
import { logRequests } from './log.ts'
import { uploads } from './media/upload.ts'
import { cloudinaryWebhook } from './media/webhook.ts'
import { webhooks } from './payments/webhooks/webhook.ts'
import { appRouter, personalData } from './router.ts'
import { exportDownloads } from './users/downloads/router.ts'

const MAX_BATCH = 20

/** Every HTTP path and middleware, in order: cheap refusals first, nothing parsed where nothing reads it. */
export function createApp(deps: Deps, timeouts = TIMEOUTS): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', deps.settings.trustProxy)
  app.set('query parser', 'simple')
  app.enable('case sensitive routing')
  app.set('etag', false)

  app.use(logRequests(deps.log))
  app.use(helmet(API_HEADERS), forbidCaching)
  app.use(limitAnswerTime(timeouts), limitBodyTime(timeouts))
  app.use(refuseOddHeaders, refuseOtherMethods)
  app.use(health(deps))
  app.use('/webhooks/cloudinary', refuseLongerThan(256 * 1024), cloudinaryWebhook(deps))
  app.use('/webhooks', refuseLongerThan(1024 * 1024), webhooks(deps))

  app.use(allowOrigins(deps), answerOptions)
  app.use(limitNetworks(deps))
  app.use(refuseDuplicates)
  app.use(cookieParser(), refuseDuplicateSessions(deps))
  app.use(refuseForeignOrigins(deps))
  app.use(limitCallers(deps, (req, res) => callerOf(deps, req, res)))
  app.use('/uploads', uploads(deps, timeouts))
  app.use('/receipts', receipts(deps))
  app.use('/exports', exportDownloads(deps, personalData))
  app.use(
    '/trpc',
    refuseOddPaths,
    readInput,
    limitHeldAnswers((req, res) => callerOf(deps, req, res)),
    leanQueries(deps, appRouter, logFailures(deps)),
    holdBatches,
    createExpressMiddleware({
      router: appRouter,
      createContext: ({ req, res }) => contextOf(deps, req, res),
      // tRPC's Vary replaces the one that was there, and what fails before there is a context has no type.
      responseMeta: ({ ctx }) => ({
        headers: new Headers({
          vary: 'origin',
          ...(ctx === undefined && { 'content-type': 'application/json' }),
        }),
      }),
      maxBatchSize: MAX_BATCH,
      maxBodySize: MAX_BODY_BYTES,
      onError: logFailures(deps),
    }),
  )

  app.use(notFound)
  app.use(handleErrors(deps))
  return app
}

/** A refusal is the client's to know; only what nobody expected is ours. */
function logFailures({ log }: Pick<Deps, 'log'>) {
  return ({ error, path, ctx }: Failure): void => {
    const about = { err: error.cause ?? error, path, requestId: ctx?.requestId }
    if (error.code === 'SERVICE_UNAVAILABLE') log.warn(about, 'procedure put off')
    if (error.code === 'INTERNAL_SERVER_ERROR') log.error(about, 'procedure failed')
  }
}

/** Exact origins only. To any other nothing is said, not even that credentials would be allowed. */
function allowOrigins({ settings }: Pick<Deps, 'settings'>): RequestHandler[] {
  const answer = cors({
    origin: (origin, done) => {
      done(null, origin !== undefined && settings.clientOrigins.includes(origin) ? origin : false)
    },
    credentials: true,
    methods: ['GET', 'POST'],
    allowedHeaders: ['content-type', 'x-trpc-source', 'trpc-accept'],
    exposedHeaders: ['retry-after', 'x-request-id'],
    maxAge: 600,
  })
  const vary: RequestHandler = (_req, res, next) => {
    res.vary('origin')
    next()
  }
  return [vary, answer]
}

// Answers are JSON and nothing else: no page may be framed, run or loaded from here.
const API_HEADERS: Parameters<typeof helmet>[0] = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'object-src': ["'none'"],
      'base-uri': ["'none'"],
      'frame-ancestors': ["'none'"],
      'form-action': ["'none'"],
    },
  },
  crossOriginResourcePolicy: { policy: 'same-site' },
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
}
