import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'

export type ResourceType = 'image' | 'video' | 'raw'
export type DeliveryType = 'upload' | 'private' | 'authenticated'

export type Asset = {
  assetId: string
  publicId: string
  version: number
  resourceType: ResourceType
  type: DeliveryType
  format: string
  bytes: number
  /** MD5 of the bytes, as Cloudinary's own etag. */
  etag: string
  width?: number
  height?: number
  duration?: number
  tags: string[]
  eager: string[]
  createdAt: string
  path: string
}

export type AssetKey = Pick<Asset, 'resourceType' | 'type' | 'publicId'>

export type Store = {
  partsDir: string
  all(): Asset[]
  find(key: AssetKey): Asset | undefined
  /** Moves `from` into the store; what stood under the same key is replaced. */
  put(asset: Omit<Asset, 'path' | 'assetId'>, from: string): Promise<Asset>
  /** Changes id, type, tags or eager; the bytes stay where they are. */
  change(asset: Asset, changes: Partial<Asset>): Asset
  remove(key: AssetKey): Promise<boolean>
}

/** Files in `dir`, with an index beside them, so that a developer's media outlive a restart. */
export async function openStore(dir: string): Promise<Store> {
  const assetsDir = join(dir, 'assets')
  const partsDir = join(dir, 'parts')
  const indexPath = join(dir, 'assets.json')
  await rm(partsDir, { recursive: true, force: true })
  await mkdir(assetsDir, { recursive: true })
  await mkdir(partsDir, { recursive: true })
  const saved = existsSync(indexPath)
    ? (JSON.parse(readFileSync(indexPath, 'utf8')) as Asset[])
    : []
  const assets = new Map(saved.map((asset) => [keyOf(asset), asset]))
  const save = () => {
    writeFileSync(indexPath, JSON.stringify([...assets.values()], null, 2))
  }
  return {
    partsDir,
    all: () => [...assets.values()],
    find: (key) => assets.get(keyOf(key)),
    async put(asset, from) {
      const path = join(assetsDir, randomUUID())
      await rename(from, path)
      const previous = assets.get(keyOf(asset))
      const stored = { ...asset, assetId: previous?.assetId ?? randomUUID(), path }
      assets.set(keyOf(asset), stored)
      save()
      if (previous) await rm(previous.path, { force: true })
      return stored
    },
    change(asset, changes) {
      const changed = { ...asset, ...changes }
      assets.delete(keyOf(asset))
      assets.set(keyOf(changed), changed)
      save()
      return changed
    },
    async remove(key) {
      const asset = assets.get(keyOf(key))
      if (!asset) return false
      assets.delete(keyOf(key))
      save()
      await rm(asset.path, { force: true })
      return true
    },
  }
}

function keyOf({ resourceType, type, publicId }: AssetKey): string {
  return `${resourceType}/${type}/${publicId}`
}
