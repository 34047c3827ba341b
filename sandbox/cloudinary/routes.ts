import type { IncomingMessage, ServerResponse } from 'node:http'
import { CORS, errorAnswer, isRefusal, send, type Answer } from './answers.ts'
import type { Cloud, LoggedRequest } from './cloud.ts'
import { control } from './control.ts'
import { findDelivery, findDownload, sendAsset, type Delivery } from './deliver.ts'
import type { Action, Fault } from './faults.ts'
import { administer, manage, resourceTypeOf, type Verb } from './manage.ts'
import { upload } from './upload.ts'

type Route = {
  action: Action | 'control' | 'unknown'
  run: (fault: Fault | undefined) => Promise<Answer> | Delivery
}

export async function handle(
  cloud: Cloud,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', cloud.origin())
  if (request.method === 'OPTIONS') {
    response.writeHead(204, {
      ...CORS,
      'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
      'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    })
    response.end()
    return
  }
  const route = routeOf(cloud, request, url)
  if (route.action === 'control') {
    send(response, (await answerOf(() => route.run(undefined))) as Answer)
    return
  }
  const entry = logRequest(cloud, request, route.action)
  response.on('close', () => {
    if (response.writableFinished) entry.status = response.statusCode
    else entry.aborted = true
  })
  const fault = route.action === 'unknown' ? undefined : cloud.faults.take(route.action)
  const result = await runWithFault({ request, response, route }, fault)
  if (!result || response.destroyed) return
  if ('asset' in result) sendAsset(request, response, result)
  else send(response, result)
}

/** Undefined when nothing is to be sent any more. */
async function runWithFault(
  {
    request,
    response,
    route,
  }: { request: IncomingMessage; response: ServerResponse; route: Route },
  fault: Fault | undefined,
): Promise<Answer | Delivery | undefined> {
  const kind = fault?.kind
  if (kind === 'stall') return undefined
  if (kind === 'reset') {
    request.socket.destroy()
    return undefined
  }
  if (kind === 'hang' || kind === 'status' || kind === 'garbage' || kind === 'html') {
    request.resume()
    if (kind === 'hang') return undefined
    await new Promise((resolve) => request.once('close', resolve))
    if (kind === 'garbage') return { status: 200, body: '{"public_id":"half' }
    const page = { headers: { 'content-type': 'text/html' }, body: '<h1>Bad gateway</h1>' }
    if (kind === 'html') return { status: 200, ...page }
    const status = fault?.status ?? 500
    return status >= 502 ? { status, ...page } : errorAnswer(status, 'Injected fault')
  }
  const result = await answerOf(() => route.run(fault))
  if (kind === 'store-then-hang') return undefined
  if (kind === 'store-then-reset') {
    response.destroy()
    return undefined
  }
  return result
}

async function answerOf(run: () => Promise<Answer> | Delivery): Promise<Answer | Delivery> {
  try {
    return await run()
  } catch (error) {
    if (isRefusal(error)) return errorAnswer(error.status, error.message)
    return errorAnswer(500, error instanceof Error ? error.message : 'Unknown error')
  }
}

function routeOf(cloud: Cloud, request: IncomingMessage, url: URL): Route {
  const segments = url.pathname.slice(1).split('/').map(decode)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const [first = '', cloudName, kind = '', verb = ''] = segments
  if (first === '_control') {
    return { action: 'control', run: () => control(cloud, request, segments.slice(1).join('/')) }
  }
  if (first !== 'v1_1') {
    if (!isRead) return unknownRoute(request)
    return { action: 'delivery', run: () => findDelivery(cloud, segments) }
  }
  if (cloudName !== cloud.cloudName) return unknownRoute(request, 'cloud_name mismatch')
  if (kind === 'resources' || kind === 'ping') {
    return { action: 'admin', run: () => administer(cloud, request, segments.slice(2)) }
  }
  if (verb === 'download' && isRead) {
    return { action: 'download', run: () => findDownload(cloud, kind, url.searchParams) }
  }
  if (request.method !== 'POST') return unknownRoute(request)
  const resourceType = resourceTypeOf(kind)
  if (verb === 'upload' && (resourceType || kind === 'auto')) {
    return {
      action: 'upload',
      run: (fault) =>
        upload(cloud, request, {
          resourceType: resourceType ?? 'auto',
          loseChunk: fault?.kind === 'lose-chunk',
        }),
    }
  }
  if (isVerb(verb) && resourceType) {
    return { action: verb, run: () => manage(cloud, request, { verb, resourceType }) }
  }
  return unknownRoute(request)
}

function unknownRoute(request: IncomingMessage, reason = 'Not found'): Route {
  return {
    action: 'unknown',
    run: () => {
      request.resume()
      return Promise.resolve(errorAnswer(reason === 'Not found' ? 404 : 401, reason))
    },
  }
}

function isVerb(text: string): text is Verb {
  return text === 'destroy' || text === 'explicit' || text === 'rename'
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function logRequest(cloud: Cloud, request: IncomingMessage, action: string): LoggedRequest {
  const uploadId = request.headers['x-unique-upload-id']
  const range = request.headers['content-range']
  const entry: LoggedRequest = {
    method: request.method ?? '',
    path: (request.url ?? '').split('?')[0] ?? '',
    action,
    aborted: false,
    receivedBytes: 0,
    ...(typeof uploadId === 'string' && { uploadId }),
    ...(range !== undefined && { range }),
  }
  const before = request.socket.bytesRead
  request.once('close', () => {
    entry.receivedBytes = request.socket.bytesRead - before
  })
  cloud.requests.push(entry)
  return entry
}
