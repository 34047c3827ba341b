import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { startCloudinary } from '../../../sandbox/cloudinary/server.ts'
import { openCloudinary } from '../../../src/gateways/cloudinary/client.ts'
import { mp4, PNG } from '../../support/media-files.ts'
import { openStudio, streamOf } from './fixtures.ts'

const studio = await openStudio()
const { sandbox, cloudinary } = studio

test('an image is stored with the size and the format its bytes have', async () => {
  const target = { publicId: 'images/a', resourceType: 'image', deliveryType: 'upload' } as const
  const stored = await cloudinary.upload(streamOf(PNG), target)
  expect(stored).toMatchObject({ ...target, format: 'png', bytes: 70, width: 1, height: 1 })
  expect(await cloudinary.describe(target)).toEqual(stored)
})

test('a video longer than one chunk arrives whole, with its length in seconds', async () => {
  const movie = mp4(95, 20_000_000)
  const target = {
    publicId: 'videos/a',
    resourceType: 'video',
    deliveryType: 'authenticated',
  } as const
  const stored = await cloudinary.upload(streamOf(movie), target)
  expect(stored).toMatchObject({
    format: 'mp4',
    bytes: movie.length,
    width: 640,
    height: 360,
    durationSeconds: 95,
  })
  const asset = sandbox.find('videos/a')
  expect(asset?.etag).toBe(createHash('md5').update(movie).digest('hex'))
  expect(readFileSync(asset?.path ?? '').equals(movie)).toBe(true)
  const ranges = sandbox.requests.flatMap(({ range }) => range ?? [])
  expect(ranges).toEqual([
    'bytes 0-8388607/-1',
    'bytes 8388608-16777215/-1',
    'bytes 16777216-19999999/20000000',
  ])
})

test('a file of exactly one chunk is sent as one request', async () => {
  const before = sandbox.requests.length
  const target = { publicId: 'files/a.bin', resourceType: 'raw', deliveryType: 'upload' } as const
  const stored = await cloudinary.upload(streamOf(Buffer.alloc(8 * 1024 * 1024, 7)), target)
  expect(stored).toMatchObject({ bytes: 8 * 1024 * 1024, format: '' })
  expect(sandbox.requests.slice(before).map(({ range }) => range)).toEqual([undefined])
})

test('the same upload again replaces the asset instead of adding one', async () => {
  const target = { publicId: 'files/b.txt', resourceType: 'raw', deliveryType: 'upload' } as const
  const first = await cloudinary.upload(Readable.from([Buffer.from('one')]), target)
  const second = await cloudinary.upload(Readable.from([Buffer.from('second')]), target)
  expect(second.version).toBeGreaterThan(first.version)
  expect(sandbox.assets().filter(({ publicId }) => publicId === 'files/b.txt')).toMatchObject([
    { bytes: 6 },
  ])
})

test('an upload may come and an asset may go while clocks disagree by hours', async () => {
  const target = { publicId: 'files/late', resourceType: 'raw', deliveryType: 'upload' } as const
  studio.clock.advance(5 * 3600)
  await cloudinary.upload(streamOf(Buffer.from('late')), target)
  await cloudinary.destroy(target)
  studio.clock.advance(-5 * 3600)
  expect(await cloudinary.describe(target)).toBeNull()
})

test('destroying what is gone succeeds', async () => {
  const target = { publicId: 'images/c', resourceType: 'image', deliveryType: 'upload' } as const
  await cloudinary.upload(streamOf(PNG), target)
  await cloudinary.destroy(target)
  await cloudinary.destroy(target)
  expect(await cloudinary.describe(target)).toBeNull()
  expect(sandbox.find('images/c')).toBeUndefined()
})

test('two accounts work side by side in one process', async () => {
  const other = await startCloudinary({
    cloudName: 'other',
    apiKey: '111',
    apiSecret: 'quite-another-secret',
  })
  const gateway = openCloudinary({ url: other.cloudinaryUrl, now: () => new Date() })
  const target = { publicId: 'only-there', resourceType: 'image', deliveryType: 'upload' } as const
  await Promise.all([
    gateway.upload(streamOf(PNG), target),
    cloudinary.upload(streamOf(PNG), { ...target, publicId: 'only-here' }),
  ])
  expect(other.assets().map(({ publicId }) => publicId)).toEqual(['only-there'])
  expect(await cloudinary.describe(target)).toBeNull()
  await other.close()
})

test('a file over the limit is refused and nothing of it is stored', async () => {
  const target = { publicId: 'big', resourceType: 'raw', deliveryType: 'upload' } as const
  const upload = cloudinary.upload(streamOf(Buffer.alloc(9_000_001, 1)), {
    ...target,
    maxBytes: 9_000_000,
  })
  await expect(upload).rejects.toMatchObject({ kind: 'refused', status: 413 })
  expect(sandbox.find('big')).toBeUndefined()
})

test('a text that calls itself an image is refused', async () => {
  const target = { publicId: 'fake', resourceType: 'image', deliveryType: 'upload' } as const
  const upload = cloudinary.upload(streamOf(Buffer.from('<script>alert(1)</script>')), target)
  await expect(upload).rejects.toMatchObject({ kind: 'refused', status: 400 })
  expect(sandbox.find('fake')).toBeUndefined()
})

test('an account with the wrong secret is refused and does not tell it', async () => {
  const url = sandbox.cloudinaryUrl.replace(/:[^:@]+@/, ':not-the-right-secret@')
  const stranger = openCloudinary({ url, now: () => new Date() })
  const target = { publicId: 'x', resourceType: 'image', deliveryType: 'upload' } as const
  const errors = await Promise.all([
    stranger.upload(streamOf(PNG), target).catch(String),
    stranger.describe(target).catch(String),
    stranger.destroy(target).catch(String),
  ])
  for (const error of errors) expect(error).toBe('CloudinaryFailure: Cloudinary: refused (401)')
})

test.each(['../x', 'a b', '100%', 'a/%2e%2e/b', 'a//b', '/a', '', 'a\r\nb', 'a?b', 'a#b'])(
  'the id %j never reaches Cloudinary',
  async (publicId) => {
    const target = { publicId, resourceType: 'image', deliveryType: 'upload' } as const
    const before = sandbox.requests.length
    await expect(cloudinary.upload(streamOf(PNG), target)).rejects.toThrow('public id')
    await expect(cloudinary.describe(target)).rejects.toThrow('public id')
    expect(() => cloudinary.imageUrl(target)).toThrow('public id')
    expect(sandbox.requests.length).toBe(before)
  },
)

test.each(['https://key:secret@cloud', 'cloudinary://cloud', 'cloudinary://key@cloud'])(
  'the address %j is refused at once',
  (url) => {
    expect(() => openCloudinary({ url, now: () => new Date() })).toThrow('CLOUDINARY_URL')
  },
)
