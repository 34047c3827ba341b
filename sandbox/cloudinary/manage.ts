import type { IncomingMessage } from 'node:http'
import { errorAnswer, json, refusal, type Answer } from './answers.ts'
import {
  assetBody,
  checkBasic,
  checkUploadCredentials,
  deliveryTypeOf,
  notFound,
  type Cloud,
} from './cloud.ts'
import { notifyEager } from './notify.ts'
import { paramsOf, receiveForm, textOf } from './receive.ts'
import type { ResourceType } from './store.ts'

export type Verb = 'destroy' | 'explicit' | 'rename'

/** The signed verbs of the Upload API that take no file. */
export async function manage(
  cloud: Cloud,
  request: IncomingMessage,
  { verb, resourceType }: { verb: Verb; resourceType: ResourceType },
): Promise<Answer> {
  const { params } = await receiveForm(request, cloud.store.partsDir)
  checkUploadCredentials(cloud, request, params)
  const type = deliveryTypeOf(params['type'])
  const publicId = params[verb === 'rename' ? 'from_public_id' : 'public_id']
  if (!publicId) throw refusal(400, 'Missing required parameter - public_id')
  const key = { resourceType, type, publicId }
  if (verb === 'destroy') {
    return json(200, { result: (await cloud.store.remove(key)) ? 'ok' : 'not found' })
  }
  const asset = cloud.store.find(key)
  if (!asset) return notFound(publicId)
  if (verb === 'explicit') {
    const eager = params['eager']?.split('|') ?? []
    if (params['eager_async'] === 'true') notifyEager(cloud, asset, params)
    else cloud.store.change(asset, { eager: [...new Set([...asset.eager, ...eager])] })
    return json(200, assetBody(cloud, cloud.store.find(key) ?? asset))
  }
  const target = {
    resourceType,
    type: deliveryTypeOf(params['to_type'] ?? type),
    publicId: params['to_public_id'] ?? publicId,
  }
  if (cloud.store.find(target)) {
    if (params['overwrite'] !== 'true' && params['overwrite'] !== '1') {
      return errorAnswer(400, `to_public_id (${target.publicId}) already exists`)
    }
    await cloud.store.remove(target)
  }
  return json(200, assetBody(cloud, cloud.store.change(asset, target)))
}

/** `GET|DELETE resources/{resource_type}/{type}[/{public_id}]`, with Basic credentials. */
export async function administer(
  cloud: Cloud,
  request: IncomingMessage,
  segments: string[],
): Promise<Answer> {
  checkBasic(cloud, request)
  if (segments[0] === 'ping') return json(200, { status: 'ok' })
  const [, kind, typeText, ...id] = segments
  const resourceType = resourceTypeOf(kind)
  if (!resourceType) return errorAnswer(404, 'Not found')
  const type = deliveryTypeOf(typeText)
  if (request.method === 'GET') {
    const publicId = id.join('/')
    if (publicId === '') {
      const listed = cloud.store
        .all()
        .filter((asset) => asset.resourceType === resourceType && asset.type === type)
      return json(200, { resources: listed.map((asset) => assetBody(cloud, asset)) })
    }
    const asset = cloud.store.find({ resourceType, type, publicId })
    return asset ? json(200, assetBody(cloud, asset)) : notFound(publicId)
  }
  if (request.method !== 'DELETE') return errorAnswer(405, 'Method not allowed')
  const ids = paramsOf(new URLSearchParams(await textOf(request)))['public_ids']?.split(',') ?? []
  if (ids.length === 0) return errorAnswer(400, 'Missing required parameter - public_ids')
  const deleted: Record<string, string> = {}
  for (const publicId of ids) {
    const isRemoved = await cloud.store.remove({ resourceType, type, publicId })
    deleted[publicId] = isRemoved ? 'deleted' : 'not_found'
  }
  return json(200, { deleted, partial: false })
}

export function resourceTypeOf(text: string | undefined): ResourceType | undefined {
  return text === 'image' || text === 'video' || text === 'raw' ? text : undefined
}
