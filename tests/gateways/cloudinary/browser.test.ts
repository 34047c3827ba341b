import { describe, expect, test } from 'vitest'
import type { SignedUpload } from '../../../src/gateways/cloudinary/links.ts'
import { mp4, PNG } from '../../support/media-files.ts'
import { openStudio, streamOf } from './fixtures.ts'

const { sandbox, cloudinary, clock } = await openStudio()

async function post({ url, fields }: SignedUpload, file: Buffer): Promise<Response> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(file)]), 'anything.png')
  return fetch(url, { method: 'POST', body: form })
}

describe('a signed upload from a browser', () => {
  test('stores one file where the server said', async () => {
    const target = { publicId: 'b/one', resourceType: 'image', deliveryType: 'upload' } as const
    const signed = cloudinary.signUpload({ ...target, allowedFormats: ['png', 'jpg'] })
    expect(JSON.stringify(signed)).not.toContain('secret')
    // SHA-256; the SDK's own choice is SHA-1.
    expect(signed.fields['signature']).toMatch(/^[0-9a-f]{64}$/)
    expect((await post(signed, PNG)).status).toBe(200)
    expect(await cloudinary.describe(target)).toMatchObject({ bytes: 70, format: 'png' })
  })

  test('goes to the authenticated delivery of a lesson', async () => {
    const target = {
      publicId: 'b/lesson',
      resourceType: 'video',
      deliveryType: 'authenticated',
    } as const
    expect((await post(cloudinary.signUpload(target), mp4(30))).status).toBe(200)
    expect(await cloudinary.describe(target)).toMatchObject({ durationSeconds: 30 })
  })

  test('cannot replace what was uploaded with it', async () => {
    const target = { publicId: 'b/kept', resourceType: 'raw', deliveryType: 'upload' } as const
    const signed = cloudinary.signUpload(target)
    await post(signed, Buffer.from('good'))
    expect(await (await post(signed, Buffer.from('something bad'))).json()).toMatchObject({
      existing: true,
    })
    expect(await cloudinary.describe(target)).toMatchObject({ bytes: 4 })
  })

  test.each([
    ['public_id', 'b/elsewhere'],
    ['type', 'authenticated'],
    ['overwrite', 'true'],
    ['allowed_formats', 'exe'],
    ['timestamp', '9999999999'],
    ['api_key', '1'],
    ['notification_url', 'http://169.254.169.254/'],
    ['tags', 'smuggled'],
  ])('is refused with another %s', async (name, value) => {
    const target = {
      publicId: 'b/tampered',
      resourceType: 'image',
      deliveryType: 'upload',
    } as const
    const signed = cloudinary.signUpload({ ...target, allowedFormats: ['png'] })
    const response = await post({ ...signed, fields: { ...signed.fields, [name]: value } }, PNG)
    expect(response.status).toBe(401)
    expect(sandbox.find('b/tampered')).toBeUndefined()
    expect(await sandbox.countParts()).toBe(0)
  })

  test('is refused for a format that was not allowed', async () => {
    const target = { publicId: 'b/format', resourceType: 'image', deliveryType: 'upload' } as const
    const response = await post(cloudinary.signUpload({ ...target, allowedFormats: ['jpg'] }), PNG)
    expect(response.status).toBe(400)
  })

  test('is refused an hour later', async () => {
    const target = { publicId: 'b/stale', resourceType: 'image', deliveryType: 'upload' } as const
    const signed = cloudinary.signUpload(target)
    clock.advance(3602)
    const response = await post(signed, PNG)
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/Stale request - reported time is [\d-]+ [\d:]+ UTC/)
  })
})

test('the server may replace what a browser uploaded', async () => {
  const target = { publicId: 'b/replaced', resourceType: 'image', deliveryType: 'upload' } as const
  await post(cloudinary.signUpload(target), PNG)
  const longer = Buffer.concat([PNG, Buffer.alloc(10)])
  await cloudinary.upload(streamOf(longer), target)
  expect(await cloudinary.describe(target)).toMatchObject({ bytes: 80 })
})
