import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { json, refusal, type Answer } from './answers.ts'
import { addChunk } from './chunks.ts'
import { assetBody, checkUploadCredentials, deliveryTypeOf, type Cloud } from './cloud.ts'
import { readFacts, type Facts } from './formats.ts'
import { notifyEager, notifyUpload } from './notify.ts'
import { receiveForm, type ReceivedFile } from './receive.ts'
import type { Params } from './sign.ts'
import type { Asset, ResourceType } from './store.ts'

const MAX_SINGLE_BYTES = 100_000_000

type Options = { resourceType: ResourceType | 'auto'; loseChunk: boolean }

export async function upload(
  cloud: Cloud,
  request: IncomingMessage,
  { resourceType, loseChunk }: Options,
): Promise<Answer> {
  const { params, file } = await receiveForm(request, cloud.store.partsDir)
  try {
    checkUploadCredentials(cloud, request, params)
    if (!file) throw refusal(400, 'Missing required parameter - file')
    const target = { resourceType, params, publicId: publicIdOf(params) }
    const uploadId = request.headers['x-unique-upload-id']
    const range = request.headers['content-range']
    if (typeof uploadId !== 'string' || range === undefined) {
      if (file.bytes > MAX_SINGLE_BYTES) throw tooLarge(file.bytes)
      return await store(cloud, target, file)
    }
    const chunk = { uploadId, range, file, publicId: target.publicId, isLost: loseChunk }
    const { publicId, whole } = await addChunk(cloud, chunk)
    if (whole) return await store(cloud, { ...target, publicId }, whole)
    return json(200, {
      done: false,
      bytes: file.bytes,
      kind: 'upload',
      resource_type: resourceType,
      public_id: publicId,
    })
  } catch (error) {
    if (file) await rm(file.path, { force: true })
    throw error
  }
}

type Target = { resourceType: ResourceType | 'auto'; params: Params; publicId: string }

async function store(cloud: Cloud, target: Target, file: ReceivedFile): Promise<Answer> {
  const { params, publicId } = target
  try {
    if (file.bytes === 0) throw refusal(400, 'Empty file')
    const facts = await readFacts(file.path)
    const resourceType = target.resourceType === 'auto' ? facts.kind : target.resourceType
    checkContent(resourceType, facts, params)
    const type = deliveryTypeOf(params['type'])
    const existing = cloud.store.find({ resourceType, type, publicId })
    if (existing && isFalse(params['overwrite'])) {
      await rm(file.path, { force: true })
      return json(200, { ...assetBody(cloud, existing), existing: true })
    }
    const asset = await cloud.store.put(
      {
        publicId,
        resourceType,
        type,
        version: versionAfter(cloud, existing),
        format: resourceType === 'raw' ? '' : facts.format,
        bytes: file.bytes,
        etag: file.etag,
        ...(resourceType === 'raw' ? {} : dimensionsOf(facts)),
        tags: params['tags']?.split(',') ?? [],
        eager: isTrue(params['eager_async']) ? [] : eagerOf(params),
        createdAt: cloud.now().toISOString(),
      },
      file.path,
    )
    notifyUpload(cloud, asset, params)
    if (isTrue(params['eager_async'])) notifyEager(cloud, asset, params)
    return json(200, assetBody(cloud, asset))
  } catch (error) {
    await rm(file.path, { force: true })
    throw error
  }
}

function checkContent(resourceType: ResourceType, facts: Facts, params: Params): void {
  if (resourceType === 'image' && facts.kind !== 'image') throw refusal(400, 'Invalid image file')
  if (resourceType === 'video' && facts.kind !== 'video') {
    throw refusal(400, 'Unsupported video format or file')
  }
  const allowed = params['allowed_formats']?.split(',')
  if (allowed && !allowed.includes(facts.format)) {
    const kind = resourceType === 'raw' ? 'Raw' : resourceType === 'image' ? 'Image' : 'Video'
    throw refusal(400, `${kind} file format ${facts.format} not allowed`)
  }
}

function tooLarge(bytes: number): Error {
  return refusal(400, `File size too large. Got ${bytes}. Maximum is ${MAX_SINGLE_BYTES}.`)
}

function publicIdOf(params: Params): string {
  const id = params['public_id'] ?? randomBytes(10).toString('hex')
  const publicId = params['folder'] ? `${params['folder']}/${id}` : id
  if (/[?&#\\%<>+]|^\s|\s$|^\/|\/$|\/\//.test(publicId)) {
    throw refusal(400, `public_id (${publicId}) is invalid`)
  }
  return publicId
}

function versionAfter(cloud: Cloud, existing: Asset | undefined): number {
  const now = Math.floor(cloud.now().getTime() / 1000)
  return existing ? Math.max(now, existing.version + 1) : now
}

function dimensionsOf({ width, height, duration }: Facts) {
  return {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(duration === undefined ? {} : { duration }),
  }
}

function eagerOf(params: Params): string[] {
  return params['eager']?.split('|') ?? []
}

function isTrue(text: string | undefined): boolean {
  return text === 'true' || text === '1'
}

function isFalse(text: string | undefined): boolean {
  return text === 'false' || text === '0'
}
