import { beforeAll, describe, expect, test } from 'vitest'
import { mp4, PNG } from '../../support/media-files.ts'
import { openStudio, streamOf } from './fixtures.ts'

const studio = await openStudio()
const { sandbox, cloudinary, clock } = studio

const LESSON = {
  publicId: 'lessons/one',
  resourceType: 'video',
  deliveryType: 'authenticated',
} as const
const movie = mp4(60, 100_000)

beforeAll(async () => {
  await cloudinary.upload(streamOf(movie), LESSON)
  await cloudinary.upload(streamOf(mp4(5)), { ...LESSON, publicId: 'lessons/two' })
})

function link(seconds = 600): string {
  const expiresAt = new Date(clock.now().getTime() + seconds * 1000)
  return cloudinary.playbackUrl({ ...LESSON, format: 'mp4', expiresAt })
}

describe('a playback link', () => {
  test('plays the whole video and any part of it', async () => {
    const whole = await fetch(link())
    expect(whole.status).toBe(200)
    expect(whole.headers.get('content-type')).toBe('video/mp4')
    expect(Buffer.from(await whole.arrayBuffer()).equals(movie)).toBe(true)
    const part = await fetch(link(), { headers: { range: 'bytes=50000-50099' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe('bytes 50000-50099/100000')
    expect(Buffer.from(await part.arrayBuffer()).equals(movie.subarray(50_000, 50_100))).toBe(true)
    const tail = await fetch(link(), { headers: { range: 'bytes=-10' } })
    expect(tail.headers.get('content-range')).toBe('bytes 99990-99999/100000')
    const beyond = await fetch(link(), { headers: { range: 'bytes=100000-' } })
    expect(beyond.status).toBe(416)
  })

  test('may be an attachment', async () => {
    const expiresAt = new Date(clock.now().getTime() + 60_000)
    const url = cloudinary.playbackUrl({ ...LESSON, format: 'mp4', expiresAt, isAttachment: true })
    const response = await fetch(url, { method: 'HEAD' })
    expect(response.headers.get('content-disposition')).toBe('attachment')
  })

  test('dies at the time it was made to', async () => {
    const url = link(600)
    clock.advance(599)
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
    clock.advance(3)
    const response = await fetch(url)
    expect(response.status).toBe(401)
    expect(response.headers.get('x-cld-error')).toMatch(/expired/)
  })

  test('outlives the hour of a signature when it was made to', async () => {
    const url = link(3 * 3600)
    clock.advance(2 * 3600)
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
  })

  test('dies with its video', async () => {
    const target = { ...LESSON, publicId: 'lessons/gone' }
    await cloudinary.upload(streamOf(mp4(5)), target)
    const expiresAt = new Date(clock.now().getTime() + 60_000)
    const url = cloudinary.playbackUrl({ ...target, format: 'mp4', expiresAt })
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
    await cloudinary.destroy(target)
    expect((await fetch(url)).status).toBe(404)
  })

  test.each([
    ['another video', 'public_id', 'lessons/two'],
    ['a later end', 'expires_at', '99999999999'],
    ['another delivery type', 'type', 'upload'],
    ['another format', 'format', 'webm'],
    ['an attachment', 'attachment', 'true'],
    ['another time', 'timestamp', '1'],
    ['another key', 'api_key', '1'],
    ['no signature', 'signature', ''],
    ['a made-up signature', 'signature', 'f'.repeat(40)],
  ])('altered to name %s is refused', async (_what, name, value) => {
    const url = new URL(link())
    url.searchParams.set(name, value)
    const response = await fetch(url)
    expect(response.status).toBe(401)
    expect(await response.json()).toHaveProperty('error.message')
  })

  test('without its end is refused, since the end is signed', async () => {
    const url = new URL(link())
    url.searchParams.delete('expires_at')
    expect((await fetch(url)).status).toBe(401)
  })

  test('holds the secret nowhere', () => {
    expect(link()).not.toContain('secret')
  })
})

test('a lesson cannot be had under its delivery address without a signature', async () => {
  const paths = ['video/authenticated/lessons/one.mp4', 'video/authenticated/v1/lessons/one.mp4']
  for (const path of paths) {
    expect((await fetch(`${sandbox.url}/studio/${path}`)).status).toBe(401)
  }
  const open = await fetch(`${sandbox.url}/studio/video/upload/lessons/one.mp4`)
  expect(open.status).toBe(404)
  const forged = await fetch(
    `${sandbox.url}/studio/video/authenticated/s--AAAAAAAA--/lessons/one.mp4`,
  )
  expect(forged.status).toBe(401)
})

test('a public image is shown in the size that was signed and in no other', async () => {
  const target = { publicId: 'covers/a', resourceType: 'image', deliveryType: 'private' } as const
  const { version } = await cloudinary.upload(streamOf(PNG), target)
  const whole = await fetch(cloudinary.imageUrl({ ...target, version }))
  expect(whole.headers.get('content-type')).toBe('image/png')
  expect(Buffer.from(await whole.arrayBuffer()).equals(PNG)).toBe(true)
  const url = cloudinary.imageUrl({ ...target, version, width: 320, height: 180 })
  expect(url).toContain('c_fill,h_180,w_320')
  expect((await fetch(url)).status).toBe(200)
  expect((await fetch(url.replace('w_320', 'w_9999'))).status).toBe(401)
})
