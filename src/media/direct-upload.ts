import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { requireOwnCourse } from '../courses/access.ts'
import type { Uses } from '../deps.ts'
import { refuseInput } from '../errors.ts'
import { exactly, Id, line } from '../fields.ts'
import { safeFileName } from './file-name.ts'
import { assetRefOf } from './media.ts'
import { PURPOSES, UPLOAD_RULES } from './purposes.ts'
import { requireQuota } from './quota.ts'
import { registerUpload } from './transitions.ts'

export const DirectUpload = z.object({
  purpose: z.enum(PURPOSES),
  /** For everything that belongs to a course. */
  courseId: Id.optional(),
  /** For lesson-file, whose type Cloudinary takes from its id: `pdf`, `docx` … */
  format: exactly(0, 10).optional(),
  /** For lesson-file, what it is saved as by whoever downloads it. */
  fileName: line(0, 255).optional(),
})
export type DirectUpload = z.infer<typeof DirectUpload>

export type SignedForm = {
  mediaId: string
  url: string
  /** Send these as they are, with the file in a last field named `file`. */
  fields: Record<string, string>
  maxBytes: number
  formats: string[]
}

/**
 * Lets a browser send one file straight to Cloudinary: this purpose, this id, for an hour. It is attached
 * when Cloudinary says that it has come (confirm-upload.ts).
 *
 * Throws INVALID_INPUT (a course or a format is missing), NOT_FOUND or FORBIDDEN (not one's own course), and
 * QUOTA_REACHED.
 */
export async function signDirectUpload(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'settings'>,
  actor: Actor,
  { purpose, courseId, format, fileName }: DirectUpload,
): Promise<SignedForm> {
  const { isOfCourse, resourceType, maxBytes, formats } = UPLOAD_RULES[purpose]
  if (isOfCourse) {
    if (courseId === undefined) refuseInput('courseId', 'is needed for this purpose')
    await requireOwnCourse(deps, actor, courseId)
  }
  const isRaw = resourceType === 'raw'
  if (isRaw && (format === undefined || !formats.includes(format)))
    refuseInput('format', `is one of ${formats.join(', ')}`)
  await requireQuota(deps, actor)
  const media = await registerUpload(deps, actor, {
    purpose,
    courseId: isOfCourse ? (courseId ?? null) : null,
    format: isRaw ? (format ?? null) : null,
    fileName: isRaw ? safeFileName(fileName, format ?? '') : null,
  })
  const { url, fields } = deps.cloudinary.signUpload({
    ...assetRefOf(media),
    ...(!isRaw && { allowedFormats: [...formats] }),
    notificationUrl: `${deps.settings.appUrl}/webhooks/cloudinary`,
  })
  return { mediaId: media._id, url, fields, maxBytes, formats: [...formats] }
}
