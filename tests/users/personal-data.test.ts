import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { openSessions } from '../../src/auth/open-sessions.ts'
import type { Db } from '../../src/db.ts'
import type { PersonalData } from '../../src/personal-data.ts'
import { personalData } from '../../src/router.ts'
import { startLms, type Lms } from '../support/harness.ts'

/** By its name, a field that says who somebody is: an id, an address, a name. */
const NAMES_A_PERSON =
  /^(user|owner|actor|author|student|buyer|person)(Id|Name)?$|^holder(Id|Name)$|.By$|e-?mail|^to$|userAgent|^network$|phone|address/i

/** What an export leaves out, and why. */
const NOT_EXPORTED = { email_tokens: 'are secrets, and last a week at most' }

/** What stays of someone who has left, and why; of all of them by an id that no longer leads to a name. */
const NOT_ERASED = {
  coupon_uses: 'count against the limits of a coupon',
  courses: 'belong to the students who have paid for them',
  users: 'holds the id, and is made nobody’s by the deletion itself',
}

type Model = {
  fields: Record<string, { type: { codecId?: string } }>
  storage: { collection: string }
}
type Contract = { domain: { namespaces: { __unbound__: { models: Record<string, Model> } } } }

const contract = JSON.parse(
  readFileSync(new URL('../../prisma/contract.json', import.meta.url), 'utf8'),
) as Contract

const personal = Object.values(contract.domain.namespaces.__unbound__.models).flatMap(
  ({ fields, storage }) =>
    Object.entries(fields)
      .filter(([name, { type }]) => NAMES_A_PERSON.test(name) && type.codecId !== 'mongo/date@1')
      .map(([name]) => ({ collection: storage.collection, name })),
)

/** The collections that name people, without those that were seen. */
function unseen(seen: Set<string>): string[] {
  const names = new Set(personal.map(({ collection }) => collection))
  return [...names].filter((name) => !seen.has(name)).sort()
}

/** The database, noting each collection that is used. */
function watched(db: Db, seen: Set<string>): Db {
  const orm = new Proxy(db.orm, {
    get: (target, name, receiver): unknown => {
      seen.add(String(name))
      return Reflect.get(target, name, receiver)
    },
  })
  const driver = new Proxy(db.driver, {
    get: (target, name): unknown => {
      if (name !== 'collection') return Reflect.get(target, name)
      return (collection: string) => {
        seen.add(collection)
        return target.collection(collection)
      }
    },
  })
  return { ...db, orm, driver }
}

const rooms: readonly PersonalData[] = personalData
const USER_ID = 'a'.repeat(24)

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('what is kept of a person', () => {
  it('is found by the names of fields', () => {
    const fields = personal.map(({ collection, name }) => `${collection}.${name}`)
    expect(fields).toEqual(
      expect.arrayContaining([
        'users.email',
        'sessions.userId',
        'media.ownerId',
        'audit_entries.actorId',
        'certificates.holderName',
        'refunds.requestedBy',
        'outbox_mails.to',
      ]),
    )
    expect(fields).not.toContain('disputes.respondBy')
  })

  it('is exported by the room that keeps it, or left out for a reason', async () => {
    const seen = new Set<string>()
    const db = watched(lms.db, seen)
    for (const { lists } of rooms)
      for (const newest of Object.values(lists)) await newest({ db }, USER_ID, 1)
    expect(unseen(seen)).toEqual(Object.keys(NOT_EXPORTED).sort())
  })

  it('is erased by the room that keeps it, or stays for a reason', async () => {
    const seen = new Set<string>()
    const db = watched(lms.db, seen)
    const { now } = lms.clock
    const sessions = openSessions({ db, now, isSecure: false })
    const leaver = { formerEmail: 'gone@example.test', deletedAt: now(), pseudonym: 'Nobody' }
    for (const { erase } of rooms)
      await erase?.({ db, now, sessions }, { userId: USER_ID, ...leaver })
    expect(unseen(seen)).toEqual(Object.keys(NOT_ERASED).sort())
  })

  it('stands on one list with every collection there is, and so in the docs', () => {
    const collections = Object.values(contract.domain.namespaces.__unbound__.models).map(
      ({ storage }) => storage.collection,
    )
    const kept = rooms.flatMap(({ keeps }) => Object.entries(keeps))
    expect(kept.map(([name]) => name).sort()).toEqual(collections.sort())
    const page = readFileSync(new URL('../../docs/personal-data.md', import.meta.url), 'utf8')
    const rows = page.split('\n').filter((row) => row.startsWith('| `'))
    expect(rows).toEqual(
      kept.map(
        ([name, { what, after, until }]) => `| \`${name}\` | ${what} | ${after} | ${until} |`,
      ),
    )
  })

  it('has one name for each list of an export', () => {
    const names = rooms.flatMap(({ lists }) => Object.keys(lists))
    expect(names).toEqual([...new Set(names)])
  })
})
