import type { Role } from '../auth/user.ts'
import type { DeliveryType, ResourceType } from '../gateways/cloudinary/account.ts'

export const PURPOSES = ['avatar', 'course-image', 'lesson-video', 'lesson-file'] as const
export type Purpose = (typeof PURPOSES)[number]

export type UploadRules = {
  resourceType: ResourceType
  /** `authenticated` things are only had by a signed link that expires. */
  deliveryType: DeliveryType
  maxBytes: number
  maxSeconds?: number
  /** By content, never by name. What can run in a browser (SVG, HTML) is on no list, nor are archives. */
  formats: readonly string[]
  isOfCourse: boolean
}

const MB = 1024 * 1024
const PICTURES = ['png', 'jpg', 'webp'] as const

export const UPLOAD_RULES: Record<Purpose, UploadRules> = {
  avatar: {
    resourceType: 'image',
    deliveryType: 'upload',
    maxBytes: 2 * MB,
    formats: PICTURES,
    isOfCourse: false,
  },
  'course-image': {
    resourceType: 'image',
    deliveryType: 'upload',
    maxBytes: 8 * MB,
    formats: PICTURES,
    isOfCourse: true,
  },
  'lesson-video': {
    resourceType: 'video',
    deliveryType: 'authenticated',
    maxBytes: 1024 * MB,
    maxSeconds: 12 * 60 * 60,
    formats: ['mp4', 'm4v', 'webm', 'mov'],
    isOfCourse: true,
  },
  'lesson-file': {
    resourceType: 'raw',
    deliveryType: 'authenticated',
    maxBytes: 50 * MB,
    formats: ['pdf', 'docx', 'pptx', 'xlsx', 'odt', 'epub'],
    isOfCourse: true,
  },
}

const GB = 1024 * MB

/** What one account may keep at a time. */
export const QUOTAS: Record<Role, { files: number; bytes: number; pending: number }> = {
  STUDENT: { files: 20, bytes: 20 * MB, pending: 5 },
  INSTRUCTOR: { files: 5_000, bytes: 500 * GB, pending: 50 },
  ADMIN: { files: 5_000, bytes: 500 * GB, pending: 50 },
}

export const MAX_PIXELS = 40_000_000
