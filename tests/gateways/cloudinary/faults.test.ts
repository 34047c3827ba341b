import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Fault } from '../../../sandbox/cloudinary/faults.ts'
import { openCloudinary } from '../../../src/gateways/cloudinary/client.ts'
import { mp4, PNG } from '../../support/media-files.ts'
import { impatient, openStudio, SECRET, streamOf } from './fixtures.ts'

const studio = await openStudio()
const { sandbox, cloudinary } = studio

const IMAGE = { publicId: 'image', resourceType: 'image', deliveryType: 'upload' } as const
const MOVIE = { publicId: 'movie', resourceType: 'video', deliveryType: 'authenticated' } as const
const ALWAYS = { times: 1000 }

afterEach(async () => {
  await Promise.all([cloudinary.destroy(IMAGE), cloudinary.destroy(MOVIE)])
})

describe.each([
  [{ kind: 'status', status: 420 }, 'throttled'],
  [{ kind: 'status', status: 423 }, 'throttled'],
  [{ kind: 'status', status: 429 }, 'throttled'],
  [{ kind: 'status', status: 500 }, 'server'],
  [{ kind: 'status', status: 502 }, 'server'],
  [{ kind: 'status', status: 503 }, 'server'],
  [{ kind: 'status', status: 403 }, 'refused'],
  [{ kind: 'status', status: 409 }, 'refused'],
  [{ kind: 'status', status: 413 }, 'refused'],
  [{ kind: 'reset' }, 'unreachable'],
  [{ kind: 'garbage' }, 'nonsense'],
  [{ kind: 'html' }, 'nonsense'],
  [{ kind: 'hang' }, 'timeout'],
] as const)('%o', (fault, kind) => {
  test(`is a failure of the kind ${kind} for every call, and tells no secret`, async () => {
    const gateway = impatient(studio)
    const faults = (['upload', 'admin'] as const).map((on) => ({ on, ...fault, ...ALWAYS }))
    const errors = await sandbox.with({ faults }, () =>
      Promise.all([
        gateway.upload(streamOf(PNG), IMAGE).catch((error: unknown) => error),
        gateway.describe(IMAGE).catch((error: unknown) => error),
        gateway.destroy(IMAGE).catch((error: unknown) => error),
      ]),
    )
    for (const error of errors) {
      expect(error).toMatchObject({ name: 'CloudinaryFailure', kind })
      const shown = inspect(error, { depth: 20, showHidden: true })
      expect(shown).not.toContain(SECRET)
      expect(shown).not.toContain(Buffer.from(`998877:${SECRET}`).toString('base64'))
    }
  })
})

test('a fault ends with what was done under it, also when that throws', async () => {
  const fails = sandbox.with({ faults: [{ on: 'upload', kind: 'hang', ...ALWAYS }] }, () =>
    Promise.reject(new Error('the test failed here')),
  )
  await expect(fails).rejects.toThrow('the test failed here')
  expect(await cloudinary.upload(streamOf(PNG), IMAGE)).toMatchObject({ bytes: 70 })
})

test('a server that is not there is unreachable', async () => {
  const url = 'cloudinary://key:some-secret@cloud?upload_prefix=http://127.0.0.1:1'
  const gateway = openCloudinary({ url, now: () => new Date() })
  await expect(gateway.upload(streamOf(PNG), IMAGE)).rejects.toMatchObject({ kind: 'unreachable' })
  await expect(gateway.describe(IMAGE)).rejects.toMatchObject({ kind: 'unreachable' })
})

test.each([
  { kind: 'status', status: 429 },
  { kind: 'status', status: 503 },
  { kind: 'reset' },
] as const)('one %o while uploading is overcome', async (fault) => {
  const stored = await sandbox.with({ faults: [{ on: 'upload', ...fault }] }, () =>
    cloudinary.upload(streamOf(PNG), IMAGE),
  )
  expect(stored).toMatchObject({ bytes: 70 })
})

test('a broken chunk is sent again and the file arrives byte for byte', async () => {
  const movie = mp4(10, 20_000_000)
  const faults: Fault[] = [
    { on: 'upload', kind: 'status', status: 500, after: 1 },
    { on: 'upload', kind: 'reset', after: 2 },
  ]
  await sandbox.with({ faults }, () => cloudinary.upload(streamOf(movie), MOVIE))
  expect(sandbox.find('movie')?.bytes).toBe(movie.length)
})

test('a chunk that Cloudinary lost is a failure, never a shorter video', async () => {
  const upload = sandbox.with({ faults: [{ on: 'upload', kind: 'lose-chunk', after: 1 }] }, () =>
    cloudinary.upload(streamOf(mp4(10, 20_000_000)), MOVIE),
  )
  await expect(upload).rejects.toMatchObject({ kind: 'nonsense' })
  expect(sandbox.find('movie')).toBeUndefined()
})

test('a last chunk whose answer was lost is not sent as the beginning of another file', async () => {
  const movie = mp4(10, 9_000_000)
  const fault: Fault = { on: 'upload', kind: 'store-then-reset', after: 1 }
  const upload = sandbox.with({ faults: [fault] }, () => cloudinary.upload(streamOf(movie), MOVIE))
  await expect(upload).rejects.toMatchObject({ kind: 'unreachable' })
  await cloudinary.upload(streamOf(movie), MOVIE)
  expect(sandbox.assets()).toMatchObject([{ publicId: 'movie', bytes: movie.length }])
})

test('an upload stored without an answer is the same asset after a second attempt', async () => {
  const upload = sandbox.with({ faults: [{ on: 'upload', kind: 'store-then-hang' }] }, () =>
    impatient(studio).upload(streamOf(PNG), IMAGE),
  )
  await expect(upload).rejects.toMatchObject({ kind: 'timeout' })
  expect(sandbox.assets()).toHaveLength(1)
  const stored = await cloudinary.upload(streamOf(PNG), IMAGE)
  expect(sandbox.assets()).toMatchObject([{ publicId: 'image', version: stored.version }])
})

test('a client who leaves while Cloudinary is silent ends the request there too', async () => {
  const parts = await sandbox.countParts()
  const source = new Readable({ read: () => undefined })
  source.push(mp4(10, 9_000_000))
  const upload = sandbox.with({ faults: [{ on: 'upload', kind: 'hang' }] }, () =>
    cloudinary.upload(source, MOVIE),
  )
  const refused = expect(upload).rejects.toMatchObject({ kind: 'aborted' })
  const count = sandbox.requests.length
  await vi.waitFor(() => {
    expect(sandbox.requests.length).toBeGreaterThan(count)
  })
  source.destroy()
  await refused
  await vi.waitFor(() => {
    expect(sandbox.requests.at(-1)).toMatchObject({ action: 'upload', aborted: true })
  })
  expect(sandbox.find('movie')).toBeUndefined()
  expect(await sandbox.countParts()).toBe(parts)
})

test.each(['destroyed', 'broken', 'stopped by its signal'])(
  'a source %s half-way leaves nothing behind',
  async (how) => {
    const stop = new AbortController()
    const source = new Readable({ read: () => undefined })
    source.push(PNG.subarray(0, 35))
    const upload = cloudinary.upload(source, { ...IMAGE, signal: stop.signal })
    const refused = expect(upload).rejects.toMatchObject({ kind: 'aborted' })
    setImmediate(() => {
      if (how === 'destroyed') source.destroy()
      else if (how === 'broken') source.destroy(new Error('the line broke'))
      else stop.abort()
    })
    await refused
    expect(source.destroyed).toBe(true)
    expect(sandbox.find('image')).toBeUndefined()
  },
)

test('a signal that was given up before begins nothing', async () => {
  const count = sandbox.requests.length
  const upload = cloudinary.upload(streamOf(PNG), { ...IMAGE, signal: AbortSignal.abort() })
  await expect(upload).rejects.toMatchObject({ kind: 'aborted' })
  expect(sandbox.requests.length).toBe(count)
})

test('an upload reads no further ahead than one chunk, however large the file is', async () => {
  const piece = Buffer.alloc(65_536, 1)
  const total = 64 * 1024 * 1024
  const before = sandbox.requests.length
  let read = 0
  let furthest = 0
  const source = Readable.from(
    (function* () {
      while (read < total) {
        const taken = sandbox.requests
          .slice(before)
          .reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
        furthest = Math.max(furthest, read - taken)
        read += piece.length
        yield piece
      }
    })(),
    { objectMode: false },
  )
  await cloudinary.upload(source, { ...MOVIE, resourceType: 'raw' })
  expect(sandbox.find('movie')?.bytes).toBe(total)
  expect(furthest).toBeLessThan(9 * 1024 * 1024)
  await cloudinary.destroy({ ...MOVIE, resourceType: 'raw' })
})

test('fifty clients who leave leave no connection and no file behind', async () => {
  const parts = await sandbox.countParts()
  const leave = async () => {
    const stop = new AbortController()
    const upload = cloudinary.upload(streamOf(PNG), { ...IMAGE, signal: stop.signal })
    setTimeout(() => {
      stop.abort()
    }, 50)
    await expect(upload).rejects.toMatchObject({ kind: 'aborted' })
  }
  // On a busy machine a request may be read when its client has left already.
  await sandbox.with({ faults: [{ on: 'upload', kind: 'hang', times: 50 }] }, async () => {
    await Promise.all(Array.from({ length: 50 }, leave))
    await vi.waitFor(async () => {
      expect(await sandbox.countConnections()).toBe(0)
    })
  })
  expect(await sandbox.countParts()).toBe(parts)
  expect(sandbox.assets()).toEqual([])
})

async function serve(answer: RequestListener): Promise<{ host: string; close: () => void }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { host, close: () => server.close() }
}

test.each([301, 302, 303, 307, 308])(
  'a delivery that answers %i is a failure: nobody is asked whom it names',
  async (status) => {
    const asked: string[] = []
    const elsewhere = await serve((request, response) => {
      asked.push(request.url ?? '')
      response.end('what only this machine may read')
    })
    const store = await serve((_request, response) => {
      response.writeHead(status, { location: `http://${elsewhere.host}/internal` }).end()
    })
    const url = `cloudinary://key:${SECRET}@studio?upload_prefix=http://${store.host}&cname=${store.host}`
    const content = openCloudinary({ url, now: () => new Date() }).readContent(MOVIE, 100)
    await expect(content.toArray()).rejects.toMatchObject({ kind: 'server', status })
    expect(asked).toEqual([])
    elsewhere.close()
    store.close()
  },
)
