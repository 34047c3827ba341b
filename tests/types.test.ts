import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const ROOT = path.resolve(import.meta.dirname, '..')
const bin = (name: string) => path.join(ROOT, 'node_modules', '.bin', name)

const CLIENT = `
import { createTRPCClient, httpBatchLink, TRPCClientError } from '@trpc/client'
import type { TRPCCombinedDataTransformer } from '@trpc/server'
import type { AppRouter } from 'gurukul'

declare const transformer: TRPCCombinedDataTransformer
const api = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: '/trpc', transformer })] })

export async function buy(slug: string): Promise<string | null> {
  const course = await api.courses.bySlug.query({ slug })
  const at: Date = (await api.auth.login.mutate({ email: 'a@b.c', password: 'secret' })).createdAt
  const { order, checkout } = await api.orders.create.mutate({ courseIds: [course.id] })
  const status: 'CREATED' | 'PAID' | 'FULFILLED' | 'EXPIRED' | 'REVIEW' = order.status
  return checkout === null ? status : checkout.order_id + at.toISOString()
}

export function isTaken(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return false
  const known = error as TRPCClientError<AppRouter>
  return known.data?.reason === 'EMAIL_TAKEN'
}

// @ts-expect-error a procedure that is not there
void api.courses.destroy
// @ts-expect-error a price is a number of paise
void api.courses.list.query({ maxPrice: 'cheap' })
// @ts-expect-error no such reason
export const never = (error: TRPCClientError<AppRouter>) => error.data?.reason === 'NO_SUCH_REASON'
`

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    module: 'NodeNext',
    target: 'ES2022',
    // Disposable: the tRPC client's own types name it.
    lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    types: [],
  },
  files: ['client.ts'],
}

let project: string

beforeAll(async () => {
  project = await mkdtemp(path.join(os.tmpdir(), 'gurukul-client-'))
  const modules = path.join(project, 'node_modules')
  await mkdir(path.join(modules, 'gurukul'), { recursive: true })
  for (const name of ['@trpc/client', '@trpc/server']) {
    await cp(path.join(ROOT, 'node_modules', name), path.join(modules, name), { recursive: true })
  }
  await writeFile(path.join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(path.join(project, 'client.ts'), CLIENT)
  await run(bin('rollup'), ['-c', 'rollup.config.ts'], {
    cwd: ROOT,
    env: { ...process.env, TYPES_OUT: path.join(modules, 'gurukul') },
  })
}, 120_000)

afterAll(() => rm(project, { recursive: true, force: true }))

describe('the AppRouter type', () => {
  it('compiles in a project that has only the tRPC client, its peer and TypeScript', async () => {
    const complaints = await run(bin('tsc'), ['-p', project]).then(
      () => '',
      (error: unknown) => String(Reflect.get(Object(error), 'stdout')),
    )
    expect(complaints).toBe('')
  }, 120_000)

  it('names no part of the server, of Prisma or of Express', async () => {
    const types = await readFile(path.join(project, 'node_modules/gurukul/index.d.ts'), 'utf8')
    const imported = [...types.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)].map(
      (match) => match[1],
    )
    expect(new Set(imported)).toEqual(new Set(['@trpc/server']))
    expect(types).not.toMatch(/passwordHash|tokenHash|prisma|mongodb/i)
  })
})
