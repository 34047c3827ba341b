import { Router, type Request, type Response } from 'express'
import type { Actor } from '../auth/sessions.ts'
import { requireActor } from '../context.ts'
import { requireOwnCourse } from '../courses/access.ts'
import type { Deps, Uses } from '../deps.ts'
import { DomainError, refuseInput } from '../errors.ts'
import { Id } from '../fields.ts'
import type { StoredAsset } from '../gateways/cloudinary/account.ts'
import { isCloudinaryFailure } from '../gateways/cloudinary/failure.ts'
import { networkOf } from '../http/network.ts'
import type { Timeouts } from '../http/timeouts.ts'
import { acceptUpload } from './accept-upload.ts'
import { openUploadsAtOnce } from './concurrency.ts'
import { withIncomingFile, type IncomingFile } from './incoming-file.ts'
import { HEAD_BYTES, inspect } from './inspect.ts'
import { assetRefOf, publicMedia, type Media, type MediaDocument } from './media.ts'
import { PURPOSES, UPLOAD_RULES, type Purpose } from './purposes.ts'
import { requireQuota } from './quota.ts'
import { markRemoved, registerUpload } from './transitions.ts'

// A form's own lines around the file.
const FORM_BYTES = 8 * 1024

/**
 * `POST /:purpose[?courseId=]`: one file of a form, straight through to Cloudinary; answers 201 and the file.
 *
 * Refuses with UNAUTHENTICATED, FORBIDDEN or NOT_FOUND (an unknown purpose, or not one's own course),
 * INVALID_INPUT, QUOTA_REACHED, TOO_MANY_REQUESTS, FILE_TOO_LARGE, FILE_TYPE_REFUSED, UNSUPPORTED_MEDIA_TYPE,
 * MALFORMED_REQUEST, TOO_SLOW or MEDIA_GATEWAY_DOWN.
 */
export function uploads(deps: Deps, { uploadMinimumRate }: Timeouts): Router {
  const router = Router()
  const uploadsAtOnce = openUploadsAtOnce()
  router.post('/:purpose', async (req, res) => {
    const { actor, target } = await authorizeUpload(deps, req, res)
    const { maxBytes, isOfCourse } = UPLOAD_RULES[target.purpose]
    const uploader = { account: actor.id, network: networkOf(req.ip) }
    const kind = isOfCourse ? 'course' : 'own'
    const place = uploadsAtOnce.begin(kind, uploader, bytesOf(req))
    try {
      await requireQuota(deps, actor)
      const limits = { maxBytes, headBytes: HEAD_BYTES, minimumRate: uploadMinimumRate }
      const media = await withIncomingFile(req, { ...limits, displaced: place.displaced }, (file) =>
        storeFile(deps, actor, { ...target, file }),
      )
      res.status(201).json(media)
    } finally {
      place.end()
    }
  })
  router.all('/:purpose', () => {
    throw new DomainError('METHOD_NOT_SUPPORTED')
  })
  return router
}

/** What has come in so far; all there is, where what is waited for is no longer the client. */
function bytesOf(req: Request): () => number {
  const before = req.socket.bytesRead
  return () => (req.complete ? Number.POSITIVE_INFINITY : req.socket.bytesRead - before)
}

type UploadTarget = { purpose: Purpose; courseId: string | null }

/** Everything that can be known before the body is read is decided before it is read. */
async function authorizeUpload(
  deps: Deps,
  req: Request,
  res: Response,
): Promise<{ actor: Actor; target: UploadTarget }> {
  const actor = await requireActor(deps, req, res)
  const purpose = PURPOSES.find((one) => one === req.params['purpose'])
  if (!purpose) throw new DomainError('NOT_FOUND')
  const { isOfCourse, maxBytes } = UPLOAD_RULES[purpose]
  const courseId = isOfCourse ? await requireCourseId(deps, actor, req) : null
  if (Number(req.get('content-length') ?? 0) > maxBytes + FORM_BYTES)
    throw new DomainError('FILE_TOO_LARGE')
  return { actor, target: { purpose, courseId } }
}

async function requireCourseId(deps: Uses<'db'>, actor: Actor, req: Request): Promise<string> {
  if (actor.role === 'STUDENT') throw new DomainError('FORBIDDEN')
  const courseId = Id.safeParse(req.query['courseId'])
  if (!courseId.success) refuseInput('courseId', 'is not an id')
  await requireOwnCourse(deps, actor, courseId.data)
  return courseId.data
}

async function storeFile(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  actor: Actor,
  { purpose, courseId, file }: UploadTarget & { file: IncomingFile },
): Promise<Media> {
  const { format } = await inspect(file.head, purpose)
  const media = await registerUpload(deps, actor, { purpose, courseId, format })
  const asset = await sendToCloudinary(deps, media, file)
  return publicMedia(deps, await acceptUpload(deps, media, asset))
}

async function sendToCloudinary(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  media: MediaDocument,
  { source, signal }: IncomingFile,
): Promise<StoredAsset> {
  const { maxBytes } = UPLOAD_RULES[media.purpose]
  try {
    return await deps.cloudinary.upload(source, { ...assetRefOf(media), signal, maxBytes })
  } catch (error) {
    // Whatever may be stored by now, nobody was told of it: the sweep looks and removes it.
    await markRemoved(deps, media._id)
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (!isCloudinaryFailure(error)) return error
  if (error.kind === 'aborted') return new DomainError('MALFORMED_REQUEST', { cause: error })
  if (error.kind !== 'refused') return new DomainError('MEDIA_GATEWAY_DOWN', { cause: error })
  if (error.status === 413) return new DomainError('FILE_TOO_LARGE', { cause: error })
  // 400 is Cloudinary saying that the file is not what it should be.
  const isFault = error.status === 400
  return new DomainError(isFault ? 'FILE_TYPE_REFUSED' : 'MEDIA_GATEWAY_DOWN', { cause: error })
}
