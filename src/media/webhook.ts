import express, { Router } from 'express'
import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { DomainError, type Reason } from '../errors.ts'
import { acceptPending } from './confirm-upload.ts'

const Upload = z.object({ notification_type: z.literal('upload'), public_id: z.string().max(300) })

type Needs = Uses<'db' | 'now' | 'cloudinary' | 'log' | 'scanFile'>

const WORTH_ANOTHER_TRY: ReadonlySet<Reason> = new Set(['MEDIA_GATEWAY_DOWN', 'UNAVAILABLE'])

/**
 * Cloudinary telling that a direct upload has come. Even signed, it only makes us look: what is there is
 * asked of Cloudinary, and a state only goes forward, so neither a forged nor a repeated one changes a thing.
 * Refuses with NOTIFICATION_REFUSED (the signature) or MEDIA_GATEWAY_DOWN: then Cloudinary sends it again.
 */
export function cloudinaryWebhook(deps: Needs): Router {
  const router = Router()
  router.post('/', express.raw({ type: () => true, limit: '256kb' }), async (req, res) => {
    const body: unknown = req.body
    const rawBody = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
    const isSigned = deps.cloudinary.isNotificationSignature({
      rawBody,
      timestamp: req.get('x-cld-timestamp') ?? '',
      signature: req.get('x-cld-signature') ?? '',
    })
    if (!isSigned) throw new DomainError('NOTIFICATION_REFUSED')
    const upload = Upload.safeParse(parse(rawBody))
    if (upload.success) await acceptNotified(deps, upload.data.public_id)
    res.json({ ok: true })
  })
  router.all('/', () => {
    throw new DomainError('METHOD_NOT_SUPPORTED')
  })
  return router
}

async function acceptNotified(deps: Needs, publicId: string): Promise<void> {
  const media = await deps.db.orm.media.where({ publicId }).first()
  if (!media) return
  try {
    await acceptPending(deps, media)
  } catch (error) {
    // Sent again, a file we refuse would be refused again; only what may pass is worth another try.
    if (!(error instanceof DomainError) || WORTH_ANOTHER_TRY.has(error.reason)) throw error
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}
