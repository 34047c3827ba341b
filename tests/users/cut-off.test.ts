import { beforeAll, describe, expect, it } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { aCourseId, aSale } from '../support/builders/orders.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { closeAfterwards } from '../support/closing.ts'
import { newDatabaseUrl } from '../support/databases.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PLACES_APART } from '../support/long-mode.ts'
import { isWrite, startMongoProxy } from '../support/mongo-proxy.ts'

// Without the outbox, into which other requests put mails at any time.
const WATCHED = new Set([
  'audit_entries',
  'certificates',
  'email_tokens',
  'invoices',
  'lesson_progress',
  'media',
  'quiz_attempts',
  'sessions',
  'totps',
  'users',
])

let writes: string[] = []
let last = Number.POSITIVE_INFINITY

/** From the nth write on, none reaches the database. Answers the writes that are tried from now on. */
function cutAt(nth: number): string[] {
  last = nth
  writes = []
  return writes
}

let lms: Lms
let courseId: string
beforeAll(async () => {
  const database = newDatabaseUrl()
  const proxy = await startMongoProxy(database, (command) => {
    const { name, collection } = command
    if (!isWrite(command) || collection === null || !WATCHED.has(collection)) return 'pass'
    writes.push(`${name} ${collection}`)
    return writes.length < last ? 'pass' : 'cut'
  })
  closeAfterwards(proxy.close)
  await applyContract(database)
  lms = await startLms({ env: { DATABASE_URL: proxy.databaseUrl } })
  courseId = await aCourseId(lms)
})

/** A student of a name of their own, who has an order, an invoice, mails and a certificate. */
async function aLeaver(nth: number): Promise<Person> {
  const leaver = await aStudent(lms, `Leaver the ${nth}.`)
  const { user, api } = leaver
  await aSale(lms, { buyer: leaver, courseIds: [courseId] })
  await api.auth.requestPasswordReset.mutate({ email: user.email })
  await lms.db.orm.certificates.create({
    publicId: `cert-${user.id}`,
    userId: user.id,
    courseId,
    number: null,
    holderName: user.name,
    courseTitle: 'Tabla for beginners',
    issuedAt: lms.clock.now(),
    revokedAt: null,
    reason: null,
  })
  return leaver
}

/** Every collection with a document that has this text in it. */
async function collectionsWith(text: string): Promise<string[]> {
  const found: string[] = []
  for (const { name } of await lms.db.driver.listCollections().toArray()) {
    const rows = await lms.db.driver.collection(name).find({}).toArray()
    if (rows.some((row) => JSON.stringify(row).includes(text))) found.push(name)
  }
  return found
}

async function expectGone({ user }: Person): Promise<void> {
  expect(await collectionsWith(user.email)).toEqual([])
  expect(await collectionsWith(user.name)).toEqual([])
  expect(await lms.db.orm.sessions.where({ userId: user.id }).all()).toEqual([])
  const certificate = await lms.db.orm.certificates.where({ userId: user.id }).first()
  expect(certificate?.revokedAt).toBeInstanceOf(Date)
  const target = `user:${user.id}`
  const entries = lms.db.orm.audit_entries.where({ target, act: 'account.deleted' })
  expect(await entries.all()).toHaveLength(1)
}

describe('a deletion that is cut off at any of its writes', () => {
  it('has deleted nothing, or is finished by the job', async () => {
    let isCut = true
    for (let nth = 1; isCut; nth += nth === 1 ? 1 : PLACES_APART) {
      const leaver = await aLeaver(nth)
      const { api, password } = leaver
      const tried = cutAt(nth)
      const deletion = api.account.delete.mutate({ password })
      await deletion.catch(() => undefined)
      isCut = tried.length >= nth
      if (isCut) await refused(deletion, 'UNAVAILABLE')
      else expect([...new Set(tried.map(collectionOf))].sort()).toEqual([...WATCHED])
      cutAt(Number.POSITIVE_INFINITY)
      await lms.work()
      if (nth === 1) expect((await api.auth.me.query())?.user).toEqual(leaver.user)
      else await expectGone(leaver)
    }
  }, 240_000)

  it('is finished without a loss to whoever has the address by then', async () => {
    const { api, user, password } = await aStudent(lms, 'The former owner')
    cutAt(2)
    await refused(api.account.delete.mutate({ password }), 'UNAVAILABLE')
    cutAt(Number.POSITIVE_INFINITY)
    const { email } = user
    const heir = { name: 'The next owner', email, password: 'second-tabla-life' }
    const { id } = await lms.visitor().api.auth.register.mutate(heir)
    await lms.work()
    const mails = await lms.db.orm.outbox_mails.where({ to: email }).all()
    expect(mails.map(({ key }) => key)).toEqual([`verify-email:${id}:first`])
    expect(await collectionsWith(user.name)).toEqual([])
  })
})

const collectionOf = (write: string) => write.split(' ')[1]
