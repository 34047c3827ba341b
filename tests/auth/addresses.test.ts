import { beforeAll, describe, expect, it } from 'vitest'
import { canonicalAddress } from '../../src/email-address.ts'
import { mailedToken, post } from '../support/builders/auth.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { anAdmin } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const password = 'tulsi-garden-92'
const register = (email: string) =>
  lms.visitor().api.auth.register.mutate({ name: 'Asha Rao', email, password })

const PUNYCODE = 'xn--c2bd4bq1db8d.xn--h2brj9c'

/** One mailbox as people write it, and as it is known. */
const SPELLINGS: [string, string][] = [
  ['asha@डाटामेल.भारत', `asha@${PUNYCODE}`],
  [`Asha@${PUNYCODE.toUpperCase()}`, `asha@${PUNYCODE}`],
  ['asha@डाटामेल。भारत', `asha@${PUNYCODE}`],
  ['asha@example.xn--p1ai', 'asha@example.xn--p1ai'],
  ['asha@EXAMPLE.рф', 'asha@example.xn--p1ai'],
  ['asha@bücher.example', 'asha@xn--bcher-kva.example'],
  ['asha@BU\u0308CHER.example', 'asha@xn--bcher-kva.example'],
  ['ａｓｈａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'asha@example.com'],
  [' Asha@Example.Com\n', 'asha@example.com'],
  ['a&b@example.com', 'a&b@example.com'],
  ["asha'@example.com", "asha'@example.com"],
  ["o'neil+courses@example.co.in", "o'neil+courses@example.co.in"],
  ['!#$%&*/=?^_`{|}~-@example.com', '!#$%&*/=?^_`{|}~-@example.com'],
  ['आशा@डाटामेल.भारत', `आशा@${PUNYCODE}`],
  ['RENE\u0301@example.com', 'rené@example.com'],
  [`${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`, ''],
]

const REFUSED = [
  ...['', 'asha', '@example.com', 'asha@', 'asha@example', 'asha@@example.com', 'a b@example.com'],
  ...[
    '.asha@example.com',
    'asha.@example.com',
    'a..b@example.com',
    'asha@.com',
    'asha@example..com',
  ],
  ...[
    'asha@-example.com',
    'asha@example-.com',
    'asha@example.com.',
    'asha@127.0.0.1',
    'asha@[127.0.0.1]',
  ],
  ...['asha@0x7f.1', 'asha@ex%61mple.com', 'asha@example.com/x', 'asha@example.com:25'],
  ...[
    '"a b"@example.com',
    'a,b@example.com',
    'a<b@example.com',
    'Asha <asha@example.com>',
    'a;b@example.com',
  ],
  ...[
    'a@b.com, c@d.com',
    'asha@example.com\r\nBcc: x@y.com',
    'a\r\nb@example.com',
    'a\u0000@example.com',
  ],
  ...[
    'a\ud800@example.com',
    'as\u200bha@example.com',
    'as\u00adha@example.com',
    'as\u202eha@example.com',
  ],
  ...[
    'asha@exam\u00adple.com',
    'asha@exam\ufe0fple.com',
    'a\u034fb@example.com',
    '\u115f@example.com',
  ],
  `${'a'.repeat(65)}@example.com`,
  `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}.com`,
  `${'आ'.repeat(22)}@example.com`,
]

describe('an address', () => {
  it.each(SPELLINGS)('%j has one form', (spelling, form) => {
    expect(canonicalAddress(spelling)).toBe(form === '' ? spelling : form)
    expect(canonicalAddress(canonicalAddress(spelling) ?? '')).toBe(canonicalAddress(spelling))
  })

  it.each(REFUSED)('%j is none', async (email) => {
    await refused(register(email), 'INVALID_INPUT')
  })

  it('is of one account, however it is spelled: to register, sign in, grant and reset', async () => {
    const user = await register('Asha@डाटामेल.भारत')
    expect(user.email).toBe(`asha@${PUNYCODE}`)
    for (const email of [`asha@${PUNYCODE}`, 'ASHA@डाटामेल.भारत', 'ａｓｈａ@डाटामेल。भारत']) {
      await refused(register(email), 'EMAIL_TAKEN')
      const { api } = lms.visitor()
      expect(await api.auth.login.mutate({ email, password })).toMatchObject({ id: user.id })
    }
    // Nobody finds an address by granting access that its owner has not proven.
    const proven = { emailVerifiedAt: lms.clock.now() }
    await lms.db.orm.users.where({ _id: user.id }).update(proven)
    const { course, owner } = await aPublishedCourse(lms)
    const grant = { courseId: course.id, email: 'asha@डाटामेल.भारत' }
    const entry = await owner.api.enrollments.grant.mutate(grant)
    expect(JSON.stringify(entry)).toContain(user.id)
    const { api } = await anAdmin(lms)
    for (const q of ['asha@डाटामेल.भारत', 'डाटामेल.भारत', PUNYCODE.slice(0, 9)]) {
      const { items } = await api.users.list.query({ q })
      expect(items.map(({ id }) => id)).toEqual([user.id])
    }
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: 'ASHA@डाटामेल.भारत' })
    await lms.work()
    const [first] = lms.smtp.mails().filter(({ to }) => /^asha@/i.test(to))
    const token = await mailedToken(lms, first?.to ?? '', /new password/i)
    await lms.visitor().api.auth.resetPassword.mutate({ token, password: 'another-garden-77' })
    await lms.visitor().api.auth.login.mutate({ email: user.email, password: 'another-garden-77' })
  })

  it('gets its mails, also with letters of other scripts and signs in it', async () => {
    for (const email of ['आशा@example.test', 'a&b@example.test', "asha'@example.test"]) {
      await register(email)
      await lms.work()
      await lms.smtp.waitForMail(email, /confirm/i, 2_000)
    }
  })

  it('is of one account when two spellings register at once', async () => {
    const spellings = [
      'race@bücher.example',
      'RACE@xn--bcher-kva.example',
      'ｒａｃｅ@BÜCHER.example',
    ]
    const answers = await Promise.all(
      spellings.map((email) =>
        post(lms.visitor(), { path: 'auth.register' }, { name: 'Asha', email, password }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    const { users } = lms.db.orm
    expect(await users.where({ email: 'race@xn--bcher-kva.example' }).all()).toHaveLength(1)
  })
})

describe('a search for people', () => {
  it('finds names as they are folded', async () => {
    const { api } = await anAdmin(lms)
    const names: [string, string][] = [
      ['Niall O’Brien', "o'brien"],
      ['علي رضا', 'علی'],
      ['Anne–Marie', 'anne-marie'],
      ['Jörg Strauß', 'Strauß'],
      ['क्\u200dषमा', 'क्षमा'],
    ]
    for (const [at, [name, q]] of names.entries()) {
      const email = `folded-${at}@example.test`
      const { id } = await lms.visitor().api.auth.register.mutate({ name, email, password })
      const { items } = await api.users.list.query({ q })
      expect([q, items.map((one) => one.id)]).toEqual([q, [id]])
    }
  })
})
