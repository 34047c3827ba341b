import type { DeliveryType, ResourceType } from '../gateways/cloudinary/account.ts'

/** What a file is uploaded for; it decides who may, which formats, and how it is delivered. */
export const PURPOSES = ['avatar', 'course-image', 'lesson-video', 'lesson-file'] as const
export type Purpose = (typeof PURPOSES)[number]

export type UploadRules = {
  resourceType: ResourceType
  /**
   * `authenticated` files are only had by a signed link that expires; of `private` ones anybody may see what
   * is derived, and nobody the original.
   */
  deliveryType: DeliveryType
  maxBytes: number
  maxSeconds?: number
  /** By content, never by name. What can run in a browser (SVG, HTML) is on no list, nor are archives. */
  formats: readonly string[]
  /** It belongs to a course, and only the course's author may upload it. */
  isOfCourse: boolean
}

const MB = 1024 * 1024
const PICTURES = ['png', 'jpg', 'webp'] as const

export const UPLOAD_RULES: Record<Purpose, UploadRules> = {
  avatar: {
    resourceType: 'image',
    deliveryType: 'private',
    maxBytes: 2 * MB,
    formats: PICTURES,
    isOfCourse: false,
  },
  'course-image': {
    resourceType: 'image',
    deliveryType: 'private',
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

/** Of a picture or a video, decoded: width × height. */
export const MAX_PIXELS = 40_000_000
