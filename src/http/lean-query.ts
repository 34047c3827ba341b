import {
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  transformTRPCResponse,
  TRPCError,
  type AnyTRPCRouter,
} from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import type { Request, RequestHandler, Response } from 'express'
import { contextOf, type Context } from '../context.ts'
import type { Deps } from '../deps.ts'
import { rootConfig } from '../trpc.ts'
import { transformer } from './transformer.ts'

/** An error on its way to the client, of whichever procedure; without a context it never reached one. */
export type Failure = { error: TRPCError; path?: string | undefined; ctx?: Context | undefined }

/**
 * Answers a GET of a single query as tRPC's own adapter does, byte for byte, without building the fetch
 * Request, Response and streams that take half of such a request's time. Everything else goes on to the
 * adapter. A client that sends `trpc-accept` always gets the adapter.
 */
export function leanQueries(
  deps: Deps,
  router: AnyTRPCRouter,
  onError: (failure: Failure) => void,
): RequestHandler {
  const procedures = Object(router._def.procedures) as object
  return async (req, res, next) => {
    const path = req.path.slice(1)
    if (!isLean(req, procedures, path)) {
      next()
      return
    }
    const isBatch = req.query['batch'] === '1'
    let ctx: Context | undefined
    try {
      ctx = await contextOf(deps, req, res)
      const data: unknown = await callTRPCProcedure({
        router,
        path,
        getRawInput: () => Promise.resolve(inputOf(req, isBatch)),
        ctx,
        type: 'query',
        signal: undefined,
        batchIndex: 0,
      })
      answer(res, 200, wrap({ result: { data } }))
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause)
      onError({ error, path, ctx })
      const shape = getTRPCErrorShape({
        config: rootConfig,
        ctx,
        error,
        input: undefined,
        path,
        type: 'query',
      })
      answer(res, getHTTPStatusCodeFromError(error), wrap({ error: shape }))
    }

    function wrap(response: Parameters<typeof transformTRPCResponse>[1]): unknown {
      const transformed = transformTRPCResponse(rootConfig, response)
      return isBatch ? [transformed] : transformed
    }
  }
}

function isLean(req: Request, procedures: object, path: string): boolean {
  if (req.method !== 'GET' || req.get('trpc-accept') !== undefined) return false
  const procedure: unknown = Object.hasOwn(procedures, path) && Reflect.get(procedures, path)
  return isQuery(procedure)
}

function isQuery(procedure: unknown): boolean {
  const definition: unknown = Reflect.get(Object(procedure), '_def')
  return Reflect.get(Object(definition), 'type') === 'query'
}

function inputOf(req: Request, isBatch: boolean): unknown {
  const text = req.query['input']
  if (typeof text !== 'string' || text === '') return undefined
  try {
    const inputs: unknown = JSON.parse(text)
    const input: unknown = isBatch ? Reflect.get(Object(inputs), '0') : inputs
    return input === undefined ? undefined : transformer.input.deserialize(input)
  } catch (cause) {
    throw new TRPCError({ code: 'BAD_REQUEST', cause })
  }
}

function answer(res: Response, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  res.status(status)
  res.setHeader('content-type', 'application/json')
  res.setHeader('content-length', Buffer.byteLength(text))
  res.end(text)
}
