import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { MAILS_A_DAY, UNPROVEN_ACTS, UNPROVEN_MAILS } from '../../src/auth/unproven.ts'
import { jobs } from '../../src/router.ts'
import { aVerified, mailedToken, post } from '../support/builders/auth.ts'
import { aCourse } from '../support/builders/learning.ts'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { runJob, startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

const sendMails = async () => {
  for (const job of jobs) if (job.name === 'send-mails') await runJob(job, lms.deps)
}

const CALL_ME = 'Your bank card was blocked. Call 1800 11'

const subjects = ({ user }: Person) => lms.smtp.mails(user.email).map(({ subject }) => subject)

describe('somebody whose address nobody has proved', () => {
  it('pays and learns without a stop, and is mailed a receipt that greets no one', async () => {
    const { courseId, course, lessonIds } = await aCourse(lms)
    const buyer = await aStudent(lms, CALL_ME)
    await aSale(lms, { buyer, courseIds: [courseId] })
    const lesson = { courseId, lessonId: lessonIds[0] ?? '' }
    expect(await buyer.api.lessons.open.query(lesson)).toMatchObject({ kind: 'TEXT' })
    await buyer.api.progress.complete.mutate(lesson)
    await lms.work()
    const mails = lms.smtp.mails(buyer.user.email)
    expect(mails.map(({ subject }) => subject).sort()).toEqual([
      'Confirm your address for Gurukul',
      expect.stringMatching(/^Receipt for order/),
      `You are enrolled in ${course.title}`,
    ])
    for (const { subject, text, html } of mails)
      expect(subject + text + html).not.toMatch(/Hello|bank|1800/)
  })

  it('is mailed nothing at all of what costs nothing', async () => {
    const victim = await aStudent(lms, CALL_ME)
    const free = await Promise.all(
      Array.from({ length: 6 }, () => aCourse(lms, { pricePaise: 0, lessons: 1 })),
    )
    for (const { courseId } of free.slice(0, 3))
      await anOrder(lms, { buyer: victim, courseIds: [courseId] })
    for (const { courseId } of free.slice(3))
      await victim.api.enrollments.start.mutate({ courseId })
    await lms.work()
    expect(subjects(victim)).toEqual(['Confirm your address for Gurukul'])
    expect((await victim.api.enrollments.mine.query({})).items).toHaveLength(6)
  })

  it('may neither review nor claim a certificate, until it is', async () => {
    const { courseId, lessonIds, owner } = await aCourse(lms, { lessons: 1 })
    const student = await aStudent(lms)
    const { api, user } = student
    await owner.api.enrollments.grant.mutate({ courseId, userId: user.id })
    await api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    const review = () => api.reviews.put.mutate({ courseId, rating: 5 })
    const claim = () => api.certificates.claim.mutate({ courseId })
    await refused(review(), 'EMAIL_UNPROVEN')
    await refused(claim(), 'EMAIL_UNPROVEN')
    expect(await lms.db.orm.reviews.where({ courseId }).all()).toEqual([])
    expect(await lms.db.orm.certificates.where({ courseId }).all()).toEqual([])
    const token = await mailedToken(lms, user.email, /Confirm/)
    await lms.visitor().api.auth.verifyEmail.mutate({ token })
    expect(await review()).toMatchObject({ rating: 5 })
    expect(await claim()).toMatchObject({ status: 'VALID' })
  })

  it('is found by no author who grants access to an address, until it is', async () => {
    const { courseId, owner } = await aCourse(lms, { lessons: 1 })
    const { user } = await aStudent(lms)
    const grant = (email: string) => owner.api.enrollments.grant.mutate({ courseId, email })
    const nobody = await refused(grant('nobody-at-all@example.test'), 'NOT_FOUND')
    expect(await refused(grant(user.email), 'NOT_FOUND')).toEqual(nobody)
    const token = await mailedToken(lms, user.email, /Confirm/)
    await lms.visitor().api.auth.verifyEmail.mutate({ token })
    expect(await grant(user.email)).toMatchObject({ userId: user.id, isActive: true })
  })

  it('is greeted by name from the first mail after', async () => {
    const buyer = await aVerified(lms, 'Asha Rao')
    await aSale(lms, { buyer })
    const { courseId } = await aCourse(lms, { pricePaise: 0 })
    await anOrder(lms, { buyer, courseIds: [courseId] })
    await lms.work()
    const mails = lms.smtp.mails(buyer.user.email)
    expect(mails).toHaveLength(3)
    for (const { text } of mails) expect(text).toContain('Hello Asha Rao,')
  })

  it('is told of a refund, and greeted by no name', async () => {
    const opened = await anOrder(lms, { buyer: await aStudent(lms, CALL_ME) })
    const { buyer, order, courseIds } = opened
    await buyer.api.orders.verify.mutate(pay(lms, opened))
    await buyer.api.orders.requestRefund.mutate({ orderId: order.id, courseId: courseIds[0] ?? '' })
    for (let round = 0; round < 3; round += 1) await lms.work()
    const { text, html } = await lms.smtp.waitForMail(buyer.user.email, /^Refund/, 2_000)
    expect(text + html).not.toMatch(/Hello|1800/)
  })
})

describe('a mailbox that somebody else registers', () => {
  it('gets ten mails a day about the account, whoever deletes it and begins anew', async () => {
    const email = 'victim-of-many@example.test'
    for (let time = 0; time < 14; time += 1) {
      const { api } = lms.visitor()
      const password = 'tulsi-garden-92'
      await api.auth.register.mutate({ name: 'Asha', email, password })
      await sendMails()
      await api.account.delete.mutate({ password })
    }
    expect(lms.smtp.mails(email)).toHaveLength(10)
    lms.clock.advance(24 * 3600 + 1)
    await lms.visitor().api.auth.register.mutate({ name: 'A', email, password: 'tulsi-garden-92' })
    await lms.work()
    expect(lms.smtp.mails(email)).toHaveLength(11)
  })

  it('gets no more than ten for sign-ins from ever new networks, all at once', async () => {
    const { user, password } = await aStudent(lms)
    await Promise.all(
      Array.from({ length: 15 }, (_, at) =>
        post(
          lms.visitor(),
          { path: 'auth.login', network: `203.0.113.${at}` },
          { email: user.email, password },
        ),
      ),
    )
    await lms.work()
    expect(lms.smtp.mails(user.email)).toHaveLength(10)
  })

  it('gets a link to a new password each half hour, and no flood of them', async () => {
    const { user } = await aStudent(lms)
    await lms.work()
    const links = () =>
      lms.smtp.mails(user.email).filter(({ subject }) => subject.includes('new password'))
    let longest = 0
    let since = 0
    for (let minute = 0; minute < 24 * 60; minute += 8) {
      const before = links().length
      const call = { path: 'auth.requestPasswordReset', network: `198.51.100.${minute % 250}` }
      await post(lms.visitor(), call, { email: user.email })
      await sendMails()
      since = links().length > before ? 0 : since + 8
      longest = Math.max(longest, since)
      lms.clock.advance(8 * 60)
    }
    expect(links().length).toBeLessThan(70)
    expect(longest).toBeLessThan(30)
  }, 60_000)

  it('is told when no more links are mailed to confirm it', async () => {
    const { api } = await aStudent(lms)
    for (let hour = 0; hour < 2; hour += 1) {
      for (let time = 0; time < 3; time += 1) {
        await api.auth.resendVerification.mutate()
        lms.clock.advance(1)
      }
      lms.clock.advance(3600)
    }
    await refused(api.auth.resendVerification.mutate(), 'TOO_MANY_REQUESTS')
  })
})

const TITLES: [string, string][] = [
  ['Claim at https://evil.example/now', 'Claim at evil example now'],
  ['www.evil.com: tabla', 'evil com: tabla'],
  ['Tabla evil．com', 'Tabla evil com'],
  ['Tabla evil。भारत', 'Tabla evil भारत'],
  ['me@evil.co.in', 'me evil co in'],
  ['Dr. A.P.J. Kalam, Ph.D', 'Dr. A.P.J. Kalam, Ph.D'],
  ['Version 2.0 in 3.5 hours', 'Version 2.0 in 3.5 hours'],
]

describe('the subject of a mail', () => {
  it('holds no link that a course’s title has, for anyone', async () => {
    const buyer = await aVerified(lms)
    const courses = await Promise.all(TITLES.map(() => aCourse(lms, { lessons: 1 })))
    for (const [at, { owner, courseId }] of courses.entries())
      await owner.api.courses.update.mutate({ id: courseId, title: TITLES[at]?.[0] ?? '' })
    await aSale(lms, { buyer, courseIds: courses.map(({ courseId }) => courseId) })
    await sendMails()
    for (const [, shown] of TITLES)
      expect(subjects(buyer)).toContain(`You are enrolled in ${shown}`)
  })
})

describe('docs/security.md', () => {
  const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')

  it('says of each act and each mail what an unproven address may', () => {
    for (const [act, isAllowed] of Object.entries(UNPROVEN_ACTS))
      expect(page).toContain(`| ${act} | ${isAllowed ? 'yes' : 'no'} |`)
    for (const [template, kind] of Object.entries(UNPROVEN_MAILS)) {
      const most = MAILS_A_DAY[kind]
      const limit = most === null ? 'as often as it is asked for' : `${kind}: ${most} a day`
      expect(page).toContain(`| mail \`${template}\` | no name; ${limit} |`)
    }
  })
})
