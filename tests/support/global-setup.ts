import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { startMongo } from '../../sandbox/mongo/start.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Tests start some hundred servers in processes of their own, most of whose start is compiling.
  process.env['NODE_COMPILE_CACHE'] ??= path.resolve('node_modules/.cache/compiled')
  const mongo = await startMongo()
  project.provide('mongoUrl', mongo.url)
  return mongo.close
}
