// npm run admin:create -- --email a@example.com --name "Asha Rao"     makes an administrator
// npm run admin:create -- --email a@example.com --promote             makes one of a registered user
// The password is read from ADMIN_PASSWORD or from standard input: an argument would show in the process list.
import 'dotenv/config'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { ZodError } from 'zod'
import { openDb } from '../src/db.ts'
import { DomainError } from '../src/errors.ts'
import { givenDatabaseUrl } from '../src/secret-files.ts'
import { createAdmin, NewAdmin, promoteToAdmin, Promotion } from '../src/users/create-admin.ts'

try {
  await run()
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      email: { type: 'string' },
      name: { type: 'string' },
      promote: { type: 'boolean', default: false },
    },
  })
  const { email, name, promote } = values
  const change = promote
    ? { promotion: Promotion.parse({ email }) }
    : { admin: NewAdmin.parse({ email, name, password: await readPassword() }) }
  const url = givenDatabaseUrl(process.env)
  if (url === null) throw new Error('DATABASE_URL is missing')
  const db = await openDb(url)
  try {
    const appName = process.env['SELLER_NAME'] ?? ''
    const deps = { db, now: () => new Date(), settings: { appName } }
    const user = change.admin
      ? await createAdmin(deps, change.admin)
      : await promoteToAdmin(deps, change.promotion)
    process.stdout.write(`${user.email} is an administrator (${user.id}).\n`)
  } finally {
    await db.close()
  }
}

async function readPassword(): Promise<string> {
  const given = process.env['ADMIN_PASSWORD']
  if (given !== undefined && given !== '') return given
  const isTyped = process.stdin.isTTY
  if (isTyped) process.stderr.write('Password: ')
  // A terminal interface that writes nowhere: what is typed is not shown.
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: isTyped })
  try {
    for await (const line of lines) return line
  } finally {
    lines.close()
    if (isTyped) process.stderr.write('\n')
  }
  return ''
}

function explain(error: unknown): string {
  if (error instanceof ZodError)
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
  if (!(error instanceof DomainError)) return error instanceof Error ? error.message : String(error)
  const hint = error.reason === 'EMAIL_TAKEN' ? ['Add --promote to make this user one.'] : []
  return [error.message, ...error.issues.map(({ message }) => `It ${message}.`), ...hint].join(' ')
}
