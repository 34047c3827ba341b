import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Cloud, LoggedRequest } from './cloud.ts'
import { addAll, during, type While } from '../during.ts'
import { openFaults, type Fault } from './faults.ts'
import { handle } from './routes.ts'
import { openStore, type Asset } from './store.ts'

export type CloudinaryOptions = {
  cloudName: string
  apiKey: string
  apiSecret: string
  now?: () => Date
  port?: number
  /** Where the files stay between runs; a temporary folder, removed at close, unless told. */
  dir?: string
}

export type CloudinarySandbox = {
  url: string
  /** A value for CLOUDINARY_URL. */
  cloudinaryUrl: string
  assets(): Asset[]
  find(publicId: string): Asset | undefined
  /**
   * Lets these faults wait while `work` runs; those that are left then are taken away, also when it throws.
   */
  with: While<{ faults: readonly Fault[] }>
  requests: LoggedRequest[]
  /** How many unfinished files lie on its disk: parts of chunked uploads and broken ones. */
  countParts(): Promise<number>
  countConnections(): Promise<number>
  /** Resolves when every notification under way has been delivered or has failed. */
  settle(): Promise<void>
  close(): Promise<void>
}

export async function startCloudinary(options: CloudinaryOptions): Promise<CloudinarySandbox> {
  const { cloudName, apiKey, apiSecret } = options
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'cloudinary-')))
  const store = await openStore(dir)
  let url = ''
  const cloud: Cloud = {
    cloudName,
    apiKey,
    apiSecret,
    now: options.now ?? (() => new Date()),
    store,
    faults: openFaults(),
    requests: [],
    sessions: new Map(),
    origin: () => url,
    pending: new Set(),
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void handle(cloud, request, response)
  })
  // An honest upload may take longer than the five minutes Node allows a request by default.
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  url = `http://${host}`
  return {
    url,
    // The SDK reads `cname` for plain http links only; see imageUrl in src/media/cloudinary.ts.
    cloudinaryUrl: `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${url}&cname=${host}`,
    assets: () => store.all(),
    find: (publicId) => store.all().find((asset) => asset.publicId === publicId),
    with: <T>({ faults }: { faults: readonly Fault[] }, work: () => T) =>
      during(() => addAll(faults, cloud.faults), work),
    requests: cloud.requests,
    countParts: async () => (await readdir(store.partsDir)).length,
    countConnections: promisify(server.getConnections.bind(server)),
    settle: async () => {
      await Promise.all(cloud.pending)
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      server.closeAllConnections()
      await closed
      await Promise.all(cloud.pending)
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
  }
}
