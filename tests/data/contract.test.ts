import { defineConfig } from '@prisma/orm-mongo/config'
import { executeContractEmit } from '@prisma/orm-toolchain/cli/control-api'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

let output: string

beforeAll(async () => {
  // Inside the project: what the types import is named by the packages the output folder can see.
  await mkdir('node_modules/.cache', { recursive: true })
  output = await mkdtemp(path.resolve('node_modules/.cache/contract-'))
  await executeContractEmit({
    config: defineConfig({ contract: path.resolve('prisma/contract.prisma'), output }),
    cwd: process.cwd(),
  })
})

afterAll(async () => {
  await rm(output, { recursive: true, force: true })
})

test.each(['contract.json', 'contract.d.ts'])(
  'prisma/%s is what contract.prisma emits (npm run db:emit)',
  async (name) => {
    const [emitted, committed] = await Promise.all([
      readFile(path.join(output, name), 'utf8'),
      readFile(path.join('prisma', name), 'utf8'),
    ])
    expect(committed === emitted, `prisma/${name} is stale: run npm run db:emit`).toBe(true)
  },
)
