import type { TestProject } from 'vitest/node'
import { startMongo } from '../sandbox/mongo/start.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const mongo = await startMongo()
  project.provide('mongoUrl', mongo.url)
  return mongo.close
}
