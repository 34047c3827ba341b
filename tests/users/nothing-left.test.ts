// Somebody does all there is to do, under words that stand nowhere else, and leaves. Then the whole database is read.
import { createHmac } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { aVerified, mailedToken, post, secondFactor } from '../support/builders/auth.ts'
import { aCourse, aPayingLearner, aQuizCourse } from '../support/builders/learning.ts'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { uploaded } from '../support/builders/media.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { SECRETS, startLms, type Lms } from '../support/harness.ts'
import { PNG } from '../support/media-files.ts'
import { deliverWebhooks } from '../support/order-checks.ts'
import { postEvent } from '../support/webhooks.ts'

const NAME = 'Zebulon Quillfeather'
const SECOND = 'zq-second@example.test'
const PHONE = '+919812345670'
const NETWORK = '203.0.113.77'
const AGENT = 'Quillbrowser/7'
const WORDS = ['Quillfeather', 'quill', 'zq-second', '9812345670', NETWORK, 'Lakeside', 'marmalade']

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

/** Collection → the words found in it. */
async function found(words: string[]): Promise<Record<string, string[]>> {
  const seen: Record<string, string[]> = {}
  for (const { name } of await lms.db.driver.listCollections().toArray()) {
    const text = JSON.stringify(await lms.db.driver.collection(name).find({}).toArray())
    const here = words.filter((word) => text.toLowerCase().includes(word.toLowerCase()))
    if (here.length > 0) seen[name] = here
  }
  return seen
}

/** An event that nobody can read, in the gateway's name, with a buyer in it. */
async function sendUnreadable(email: string): Promise<void> {
  const entity = { id: 7, email, contact: PHONE, notes: { name: NAME, said: 'marmalade' } }
  for (const body of [
    JSON.stringify({ event: 'payment.captured', payload: { payment: { entity } } }),
    `not JSON ${email} ${PHONE}`,
  ]) {
    const signature = createHmac('sha256', SECRETS.webhook).update(body).digest('hex')
    expect(await postEvent(lms.url, { eventId: `evt_${body.length}`, body, signature })).toBe(200)
  }
}

/** Everything a person can do. Answers them, and the addresses they had. */
async function aFullLife(): Promise<{ person: Person; emails: string[]; admin: Person }> {
  const admin = await anAdmin(lms)
  const person = await aVerified(lms, NAME)
  const { api, user, password } = person
  await uploaded(person, '/uploads/avatar', PNG)
  await api.account.update.mutate({
    billing: { name: `${NAME} & Sons`, state: 'Kerala', address: '4, Lakeside Road' },
  })
  const call = { path: 'auth.login', network: NETWORK, headers: { 'user-agent': AGENT } }
  await post(lms.visitor(), call, { email: user.email, password: 'marmalade wrong' })
  await post(lms.visitor(), call, { email: user.email, password })
  const examined = await aQuizCourse(lms)
  const { courseId, owner } = examined
  const bought = await anOrder(lms, { buyer: person, courseIds: [courseId] })
  await api.orders.verify.mutate(pay(lms, bought, { email: user.email, contact: PHONE }))
  await api.progress.complete.mutate({ courseId, lessonId: examined.lessonId })
  const attempt = await api.quizzes.start.mutate(examined.ref)
  const answers = attempt.questions.map(({ id }) => {
    const question = examined.quiz.questions.find((one) => one.id === id)
    const text = question?.kind === 'TEXT' ? 'marmalade' : ''
    return { questionId: id, optionIds: question?.optionIds ?? [], text }
  })
  await api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
  await api.reviews.put.mutate({ courseId, rating: 4, body: 'Sweet as marmalade.' })
  const done = await aCourse(lms, { lessons: 1 })
  await aSale(lms, { buyer: person, courseIds: [done.courseId] })
  await api.progress.complete.mutate({ courseId: done.courseId, lessonId: done.lessonId })
  await api.certificates.claim.mutate({ courseId: done.courseId })
  const said = await api.reviews.put.mutate({
    courseId: done.courseId,
    rating: 1,
    body: 'marmalade',
  })
  await admin.api.reviews.remove.mutate({ id: said.id })
  const gift = await aCourse(lms, { lessons: 1 })
  const given = { courseId: gift.courseId, userId: user.id, reason: 'for marmalade' }
  await gift.owner.api.enrollments.grant.mutate(given)
  await gift.owner.api.enrollments.revoke.mutate(given)
  const sale = await aSale(lms, { buyer: person })
  await admin.api.refunds.create.mutate({
    orderId: sale.order.id,
    amountPaise: 100,
    reason: 'Mr Quillfeather asked',
    idempotencyKey: `refund-of-${user.id}`,
  })
  await sendUnreadable(user.email)
  await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
  await api.auth.requestEmailChange.mutate({ email: SECOND, password })
  const tokens = [
    await mailedToken(lms, user.email, /about to change/),
    await mailedToken(lms, SECOND, /Confirm your new address/),
  ]
  for (const token of tokens) await api.auth.confirmEmailChange.mutate({ token })
  await secondFactor(person, lms)
  await api.auth.requestEmailChange.mutate({ email: `quill-${SECOND}`, password })
  await refused(
    owner.api.account.delete.mutate({ password: owner.password }),
    'HAS_PUBLISHED_COURSES',
  )
  for (let round = 0; round < 3; round += 1) {
    await deliverWebhooks(lms)
    await lms.work()
  }
  return { person, emails: [user.email, SECOND], admin }
}

describe('somebody who has done everything', () => {
  it('finds all of it in their export, and leaves nothing of it but what the list says', async () => {
    const { person, emails, admin } = await aFullLife()
    const { api, password, user } = person
    const exported = await api.account.export.query()
    const lists = Object.entries(exported).filter(([, list]) => Array.isArray(list))
    const empty = lists.flatMap(([name, list]) =>
      Array.isArray(list) && list.length === 0 ? name : [],
    )
    expect(empty.sort()).toEqual(['authoredCourses', 'couponUses', 'disputes'])
    expect(exported.quizAttempts[0]?.answers).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ text: 'marmalade' })]),
    )
    expect(exported.refunds).toMatchObject([{ reason: 'Mr Quillfeather asked' }])
    expect(exported.payments).toHaveLength(3)
    expect(exported.mails.map(({ to }) => to)).toEqual(expect.arrayContaining(emails))
    expect(JSON.stringify(exported)).not.toMatch(/tokenHash|passwordHash|argon2/)
    const before = await found([...WORDS, ...emails])
    expect(Object.keys(before)).toEqual(
      expect.arrayContaining(['users', 'invoices', 'reviews', 'refunds', 'audit_entries']),
    )
    expect(Object.keys(before)).not.toContain('webhook_events')

    await api.account.delete.mutate({ password })
    await lms.work()

    expect(await found([...WORDS, ...emails, AGENT])).toEqual({})
    const { orm } = lms.db
    expect(await orm.orders.where({ userId: user.id }).all()).toHaveLength(3)
    expect(await orm.reviews.where({ userId: user.id }).all()).toMatchObject([
      { rating: 4, body: '' },
    ])
    expect(await orm.certificates.where({ userId: user.id }).all()).toMatchObject([
      { holderName: 'Deleted user' },
    ])
    lms.clock.advance(3 * 3600)
    await lms.work()
    expect(await orm.media.where({ ownerId: user.id }).all()).toEqual([])
    const { items } = await admin.api.admin.audit.query({ actorId: user.id })
    expect(items.length).toBeGreaterThan(3)
    expect(items.every(({ network }) => network === null)).toBe(true)
  })

  it('takes nothing of others along', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const stays = await aPayingLearner(lms, taught, 'Stays Behind')
    const goes = await aPayingLearner(lms, taught, 'Goes Away')
    for (const { api } of [stays, goes])
      await api.reviews.put.mutate({ courseId: taught.courseId, rating: 4, body: 'A fine course.' })
    await goes.api.account.delete.mutate({ password: goes.password })
    await lms.work()
    const { courseId } = taught
    const { items } = await lms.visitor().api.reviews.list.query({ courseId })
    expect(items.map(({ authorName, body }) => [authorName, body]).sort()).toEqual([
      ['Deleted user', ''],
      ['Stays Behind', 'A fine course.'],
    ])
    const course = await lms.db.orm.courses.where({ _id: courseId }).first()
    expect(course).toMatchObject({ ratingSum: 8, ratingCount: 2 })
    const exported = await stays.api.account.export.query()
    expect(exported.activity.every(({ network }) => network !== null)).toBe(true)
  })
})

describe('an event of a gateway', () => {
  it('is gone after ninety days, also when it was given up', async () => {
    await sendUnreadable('somebody@example.test')
    const [event] = await lms.db.orm.webhook_events.where({}).all()
    await lms.db.orm.webhook_events.where({ _id: event?._id ?? '' }).update({ state: 'DEAD' })
    lms.clock.advance(91 * 24 * 3600)
    await lms.work()
    expect(await lms.db.orm.webhook_events.where({ state: 'DEAD' }).all()).toEqual([])
  })
})
