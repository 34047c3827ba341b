import { beforeAll, describe, expect, it } from 'vitest'
import { describeDevice } from '../../src/auth/device.ts'
import { networkOf } from '../../src/http/network.ts'
import { aStudent } from '../support/builders/people.ts'
import { aVerified, post } from '../support/builders/auth.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

const LINKS = [
  'Claim at https://evil.example',
  'www.evil.example',
  'evil.com',
  'Prize: evil.co.in',
  'evil.example/claim',
  'me@evil.example',
  'evil\uff0ecom',
  'evil\u3002com',
  'ｗｗｗ.evil.example',
  'javascript://x',
  'Win at bit.ly/abc',
  't.co/abc',
  'Evil.Example/claim',
  'prize-shop.xyz now',
]

const UNSEEN = [
  '\u{e0041}\u{e0042}x',
  '\u3164',
  '\u00ad',
  'a\u00adb',
  '\u115f',
  '\u1160',
  '\u180e',
  'a\ud800',
  '\u2800',
  '\u034f',
  'a\u034fb',
  '\ufff9x',
  '\u206ax',
  '\u200d\u200d',
  '\u200c',
  '\u0301\u0301',
]

describe('a name', () => {
  it.each(LINKS)('holds no link: %j', async (name) => {
    const { api } = await student()
    await refused(api.account.update.mutate({ name }), 'INVALID_INPUT')
    const billing = { name, state: 'Kerala' }
    await refused(api.account.update.mutate({ billing }), 'INVALID_INPUT')
    const someone = { name, email: 'n@example.test', password: 'tulsi-garden-92' }
    await refused(lms.visitor().api.auth.register.mutate(someone), 'INVALID_INPUT')
  })

  it.each(UNSEEN)('is seen whole: %j', async (name) => {
    await refused((await student()).api.account.update.mutate({ name }), 'INVALID_INPUT')
  })

  it.each([
    'Dr. A.P.J. Abdul Kalam',
    'Md.Rafi',
    'St.John D’Souza',
    'Ravi S/O Kumar',
    'Ananya (Anu) Rao-Iyer',
    'ശ്രീജിത്ത് ന\u200dമ്പൂതിരി',
    'क्\u200dष',
    'नरेश',
    '李小龍',
    '👩\u200d🏫',
    '<b>Bold</b>',
    ...[
      'Asha Rao, B.Com',
      'Asha Rao,B.Com.',
      'K.Dev',
      'Dr.Dev Shetty',
      'R.In',
      'N.Me',
      'J.Co',
      'V.Io',
    ],
    ...['St. John', 'S.Y. Net', 'Prof.Dev', 'Mohd.Dev', 'Smt.Ru Nair', 'k.dev', 'asha rao, m.com'],
    ...[
      'Ravi Kumar, M.Tech (CSE)',
      'M.A./B.Ed',
      'B.Com/M.Com',
      'Dr.Rao/Surgeon',
      'Ph.D.',
      'M.Phil.NET',
    ],
    ...[
      'Raju @ Rajendra',
      'Raju@Rajendra',
      "O’Neil-D'Souza",
      'A.R. Rahman',
      'T.N.Seshan',
      'डॉ.राव',
    ],
    ...[
      'Sh. Ram S/o Sh. Shyam',
      'M/s. Rao & Co.',
      'R',
      'X Æ A-12',
      'Ltd.Co',
      'Kumar.Me',
      'B.Info',
      'U.S.A.',
    ],
  ])('may be %s', async (name) => {
    const updated = await (await student()).api.account.update.mutate({ name })
    expect(updated.name).toBe(name)
  })
})

let one: ReturnType<typeof aStudent> | null = null
const student = () => (one ??= aStudent(lms))

describe('a mail', () => {
  it('to an address that nobody has confirmed says nothing its registrant chose', async () => {
    const { user, password } = await aStudent(lms, 'Send Money Now')
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
    const headers = { 'user-agent': 'https://evil.example/ua' }
    const away = { path: 'auth.login', network: '203.0.113.77', headers }
    await post(lms.visitor(), away, { email: user.email, password })
    await lms.work()
    await lms.smtp.waitForMail(user.email, /New sign-in/, 2_000)
    const mails = lms.smtp.mails(user.email)
    expect(mails).toHaveLength(3)
    for (const { text, html } of mails) expect(text + html).not.toMatch(/Send Money|evil|Hello/)
  })

  it('greets whoever has', async () => {
    const { user } = await aVerified(lms, 'Asha Rao')
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
    await lms.work()
    const { text } = await lms.smtp.waitForMail(user.email, /new password/i, 2_000)
    expect(text).toContain('Hello Asha Rao')
  })
})

describe('a device', () => {
  it.each([
    [null, 'an unknown program on an unknown system'],
    ['https://evil.example Claim', 'an unknown program on an unknown system'],
    ['curl/8.5.0', 'an unknown program on an unknown system'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iOS',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0', 'Firefox on Linux'],
  ])('is told in words of ours: %s', (userAgent, words) => {
    expect(describeDevice(userAgent)).toBe(words)
  })
})

describe('a network', () => {
  it('is the same whatever port a proxy writes behind it', async () => {
    expect(networkOf('203.0.113.9:4711')).toBe('203.0.113.9')
    expect(networkOf('[2001:db8:1:2::1]:4711')).toBe(networkOf('2001:db8:1:2::1'))
    expect(networkOf('[2001:db8:1:2::1]')).toBe(networkOf('2001:db8:1:2::1'))
    expect(networkOf('Claim at evil')).toBe('unknown')
    const { user } = await aStudent(lms)
    const answers = []
    for (let port = 5000; port < 5006; port += 1) {
      const call = { path: 'auth.login', network: `203.0.113.8:${port}` }
      answers.push(await post(lms.visitor(), call, { email: user.email, password: 'wrong wrong' }))
    }
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429])
  })
})

describe('an author who looks for addresses by granting access', () => {
  it('finds out about thirty an hour that are not registered, whatever the course', async () => {
    const { course, owner } = await aPublishedCourse(lms)
    const grant = (email: string) =>
      post(owner, { path: 'enrollments.grant' }, { courseId: course.id, email })
    const known = await aVerified(lms)
    expect((await grant(known.user.email)).status).toBe(200)
    const answers = []
    for (let n = 0; n < 31; n += 1) answers.push(await grant(`nobody-${n}@example.test`))
    expect(answers.filter(({ reason }) => reason === 'NOT_FOUND')).toHaveLength(30)
    expect(answers.at(-1)).toMatchObject({ status: 429, reason: 'TOO_MANY_REQUESTS' })
    expect((await grant(known.user.email)).status).toBe(429)
    lms.clock.advance(3601)
    await owner.api.auth.confirmPassword.mutate({ password: owner.password })
    expect((await grant(known.user.email)).status).toBe(200)
  })
})
