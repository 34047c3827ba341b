import { spawn } from 'node:child_process'
import path from 'node:path'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

type Outcome = { code: number | null; output: string }

function create(args: string[], { input = '', env = {} } = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['bin/admin-create.ts', ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl(inject('mongoUrl'), lms.db.driver.databaseName),
      ...env,
    },
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stdin.end(input)
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output })
    })
  })
}

describe('npm run admin:create', () => {
  it('makes an administrator with the password from standard input', async () => {
    const password = 'banyan-root-71'
    const { code, output } = await create(
      ['--email', 'First@Example.test', '--name', 'Meera Shah'],
      { input: `${password}\n` },
    )
    expect(output).toMatch(/first@example\.test is an administrator/)
    expect(output).not.toContain(password)
    expect(code).toBe(0)
    const visitor = lms.visitor()
    const user = await visitor.api.auth.login.mutate({ email: 'first@example.test', password })
    expect(user).toMatchObject({ role: 'ADMIN', emailVerified: true, name: 'Meera Shah' })
    const { items } = await visitor.api.admin.audit.query({ target: `user:${user.id}` })
    expect(items.map(({ act }) => act)).toContain('users.admin-created')
  })

  it('takes the password from the environment as well', async () => {
    const env = { ADMIN_PASSWORD: 'banyan-root-72' }
    const { code } = await create(['--email', 'env@example.test', '--name', 'Meera'], { env })
    expect(code).toBe(0)
  })

  it('promotes someone who is registered, when told to', async () => {
    const { user, api } = await aStudent(lms)
    const { code } = await create(['--email', user.email, '--promote'])
    expect(code).toBe(0)
    expect((await api.auth.me.query())?.user.role).toBe('ADMIN')
  })
})

describe('npm run admin:create refuses', () => {
  it('a weak password, a short one and none', async () => {
    const args = ['--email', 'weak@example.test', '--name', 'Meera Shah']
    for (const input of ['password123\n', 'short\n', '']) {
      const { code, output } = await create(args, { input })
      expect(code).toBe(1)
      expect(output).toMatch(/password|easy to guess/i)
    }
    expect(await lms.db.orm.users.where({ email: 'weak@example.test' }).first()).toBeNull()
  })

  it('an address that is registered, unless it is to be promoted', async () => {
    const { user, api } = await aStudent(lms)
    const { code, output } = await create(['--email', user.email, '--name', 'Meera'], {
      input: 'banyan-root-73\n',
    })
    expect(code).toBe(1)
    expect(output).toContain('--promote')
    expect((await api.auth.me.query())?.user.role).toBe('STUDENT')
  })

  it('to promote someone who is not there', async () => {
    expect((await create(['--email', 'nobody@example.test', '--promote'])).code).toBe(1)
  })

  it('a password as an argument', async () => {
    const args = ['--email', 'a@example.test', '--name', 'A', '--password', 'banyan-root-74']
    expect((await create(args)).code).toBe(1)
  })
})
