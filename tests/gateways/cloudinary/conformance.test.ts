import { v2 as sdk } from 'cloudinary'
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { isDeliverySigned, stringToSign } from '../../../sandbox/cloudinary/sign.ts'
import { mp4, PNG } from '../../support/media-files.ts'
import { openStudio, SECRET } from './fixtures.ts'

// The vendor's SDK against the sandbox, without the gateway between them: what the sandbox accepts
// and refuses must be what Cloudinary does.
const { sandbox } = await openStudio()
const account = {
  cloud_name: 'studio',
  api_key: '998877',
  api_secret: SECRET,
  upload_prefix: sandbox.url,
}
type Answer = Record<string, unknown>

function upload(options: object, data = PNG): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = sdk.uploader.upload_stream({ ...account, ...options }, (error, result) => {
      if (error) reject(new Error(error.message))
      else resolve({ ...result })
    })
    stream.end(data)
  })
}

describe('signatures', () => {
  const secret = 'hdcixPpR2iKERPwqvH6sHdK9cyac'
  const base = { cloud_name: 'dn6ot3ged', timestamp: '1568810420' }
  const sign = (text: string, algorithm = 'sha1') =>
    createHash(algorithm)
      .update(text + secret)
      .digest('hex')

  test('are the published ones', () => {
    const text = stringToSign({ ...base, username: 'user@cloudinary.com' }, 2)
    expect(sign(text)).toBe('14c00ba6d0dfdedbc86b316847d95b9e6cd46d94')
    expect(sign(text, 'sha256')).toBe(
      '45ddaa4fa01f0c2826f32f669d2e4514faf275fe6df053f1a150e7beae58a3bd',
    )
  })

  test('of version 2 tell a smuggled parameter from a value', () => {
    const honest = { ...base, notification_url: 'https://fake.com/callback?a=1&tags=hello,world' }
    const smuggled = {
      ...base,
      notification_url: 'https://fake.com/callback?a=1',
      tags: 'hello,world',
    }
    expect(sign(stringToSign(honest, 2))).toBe('4fdf465dd89451cc1ed8ec5b3e314e8a51695704')
    expect(sign(stringToSign(smuggled, 2))).toBe('7b4e3a539ff1fa6e6700c41b3a2ee77586a025f9')
    expect(stringToSign(honest, 1)).toBe(stringToSign(smuggled, 1))
  })

  test.each([
    ['c_crop,h_20,w_10/image.jpg', 'Ai4Znfl3'],
    ['image.jpg', '--SjmNDA'],
    ['http://google.com/path/to/image.png', 'hH_YcbiS'],
  ])('of the delivery of %s are the published ones', (source, signature) => {
    expect(isDeliverySigned(source, signature, 'b')).toBe(true)
    expect(isDeliverySigned(`${source}x`, signature, 'b')).toBe(false)
  })
})

describe('the SDK', () => {
  test.each([
    { signature_algorithm: 'sha1', signature_version: 1 },
    { signature_algorithm: 'sha1', signature_version: 2 },
    { signature_algorithm: 'sha256', signature_version: 2 },
  ])('uploads with %o', async (options) => {
    const answer = await upload({ ...options, public_id: 'signed', tags: ['a', 'b'] })
    expect(answer).toMatchObject({ public_id: 'signed', tags: ['a', 'b'], format: 'png', width: 1 })
    const signed = `public_id=signed&version=${String(answer['version'])}${SECRET}`
    expect(answer['signature']).toBe(createHash('sha1').update(signed).digest('hex'))
  })

  test('uploads in chunks, and small ones are refused', async () => {
    const movie = mp4(7, 12_000_000)
    const chunked = (chunk_size: number) =>
      new Promise<Answer>((resolve, reject) => {
        const stream = sdk.uploader.upload_chunked_stream(
          { ...account, resource_type: 'video', public_id: 'chunked', chunk_size },
          (error, result) => {
            if (error) reject(new Error(error.message))
            else resolve({ ...result })
          },
        )
        stream.end(movie)
      })
    await expect(chunked(1_000_000)).rejects.toThrow('All parts except EOF-chunk')
    const answer = await chunked(6_000_000)
    expect(answer).toMatchObject({ bytes: 12_000_000, duration: 7, resource_type: 'video' })
    expect(answer['etag']).toBe(createHash('md5').update(movie).digest('hex'))
  })

  test('renames, explains and destroys', async () => {
    await upload({ public_id: 'first' })
    await upload({ public_id: 'taken' })
    const rename = (to: string) =>
      sdk.uploader.rename('first', to, { ...account, invalidate: true })
    await expect(rename('taken')).rejects.toMatchObject({ http_code: 400 })
    await expect(rename('second')).resolves.toMatchObject({ public_id: 'second' })
    const explicit: unknown = await sdk.uploader.explicit('second', { ...account, type: 'upload' })
    expect(explicit).toMatchObject({ public_id: 'second', bytes: 70 })
    const destroy = () => sdk.uploader.destroy('second', { ...account, invalidate: true })
    expect(await destroy()).toEqual({ result: 'ok' })
    expect(await destroy()).toEqual({ result: 'not found' })
    await expect(sdk.api.resource('second', { ...account })).rejects.toMatchObject({
      error: { http_code: 404 },
    })
  })

  test('is refused when stale, unknown or unsigned', async () => {
    const now = Math.floor(Date.now() / 1000)
    await expect(upload({ timestamp: now - 3700 })).rejects.toThrow('Stale request')
    await expect(upload({ api_key: '1' })).rejects.toThrow('Unknown API key')
    await expect(upload({ api_secret: 'wrong' })).rejects.toThrow('Invalid Signature')
    await expect(upload({ unsigned: true })).rejects.toThrow('Missing required parameter')
    await expect(upload({ cloud_name: 'elsewhere' })).rejects.toThrow('cloud_name mismatch')
  })

  test('delivers private and authenticated images only with a signature', async () => {
    const url = (options: object) =>
      sdk.url('closed.png', {
        ...account,
        secure: false,
        cname: new URL(sandbox.url).host,
        urlAnalytics: false,
        ...options,
      })
    const status = async (options: object) => (await fetch(url(options))).status
    await upload({ public_id: 'closed', type: 'private' })
    await upload({ public_id: 'closed', type: 'authenticated' })
    const signed = { sign_url: true }
    const derived = { crop: 'fill', width: 10 }
    expect(await status({ type: 'private' })).toBe(401)
    expect(await status({ type: 'private', ...signed })).toBe(200)
    expect(await status({ type: 'private', ...derived })).toBe(200)
    expect(await status({ type: 'authenticated', ...derived })).toBe(401)
    expect(await status({ type: 'authenticated', ...derived, ...signed })).toBe(200)
    expect(await status({ type: 'authenticated', ...signed, long_url_signature: true })).toBe(200)
    expect(await status({ type: 'upload', ...signed })).toBe(404)
  })
})

test('a client that breaks off leaves nothing on the disk', async () => {
  const broken = request(`${sandbox.url}/v1_1/studio/raw/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })
  broken.on('error', () => undefined)
  broken.write('--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n')
  broken.write(Buffer.alloc(1_000_000, 1))
  await vi.waitFor(async () => {
    expect(await sandbox.countParts()).toBe(1)
  })
  broken.destroy()
  await vi.waitFor(async () => {
    expect(await sandbox.countParts()).toBe(0)
  })
})

test('a test in another process controls it by HTTP', async () => {
  const control = `${sandbox.url}/_control`
  const body = JSON.stringify({ on: 'upload', kind: 'status', status: 429 })
  await fetch(`${control}/faults`, { method: 'POST', body })
  await expect(upload({ public_id: 'controlled' })).rejects.toThrow('Injected fault')
  await upload({ public_id: 'controlled' })
  const assets = (await (await fetch(`${control}/assets`)).json()) as { publicId: string }[]
  expect(assets.map(({ publicId }) => publicId)).toContain('controlled')
})
