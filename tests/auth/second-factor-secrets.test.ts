import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { sealSecrets } from '../../src/auth/seal-secrets.ts'
import { openSecretBox, readSecretKey, type SecretKey } from '../../src/secret-box.ts'
import { aVerified, codeOf, secondFactor } from '../support/builders/auth.ts'
import type { Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { newDatabaseUrl } from '../support/databases.ts'
import { environmentOf, startLms, type Lms } from '../support/harness.ts'

const OLD = `old:${randomBytes(32).toString('base64')}`
const NEW = `new:${randomBytes(32).toString('base64')}`
const keyOf = (text: string): SecretKey => readSecretKey(text) ?? expect.fail('is no key')

let lms: Lms
const database = newDatabaseUrl()
beforeAll(async () => {
  lms = await startLms({ database, env: { SECRET_KEYS: OLD } })
})

type Guarded = Person & { secret: string; recoveryCodes: string[] }

async function guarded(): Promise<Guarded> {
  const person = await aVerified(lms)
  const factor = await secondFactor(person, lms)
  lms.clock.advance(30)
  return { ...person, ...factor }
}

const signIn = ({ user, password }: Person, code: string) =>
  lms.visitor().api.auth.login.mutate({ email: user.email, password, code })

const stored = async ({ user }: Person) => {
  const factor = await lms.db.orm.totps.where({ userId: user.id }).first()
  return factor ?? expect.fail('has no second factor')
}

const inHex = (base32: string): string =>
  (
    Array.from(base32, (letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter))
      .map((five) => five.toString(2).padStart(5, '0'))
      .join('')
      .match(/.{8}/g) ?? []
  )
    .map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, '0'))
    .join('')

describe('the secret of an authenticator', () => {
  it('lies sealed in the database, from its first moment, and works', async () => {
    const person = await aVerified(lms)
    const { secret } = await person.api.auth.totp.start.mutate()
    const everything = async () =>
      JSON.stringify(await lms.db.driver.collection('totps').find().toArray())
    for (const text of [
      secret,
      inHex(secret),
      Buffer.from(inHex(secret), 'hex').toString('base64'),
    ])
      expect(await everything()).not.toContain(text)
    expect((await stored(person)).secret).toMatch(/^v1\.old\.[\w-]{60,}$/)
    await person.api.auth.totp.confirm.mutate({ code: codeOf(secret, lms.clock.now()) })
    lms.clock.advance(30)
    await expect(signIn(person, codeOf(secret, lms.clock.now()))).resolves.toHaveProperty('id')
  })

  it('opens for its owner alone: put into the row of another, it lets nobody in', async () => {
    const [thief, victim] = [await guarded(), await guarded()]
    const { secret } = await stored(thief)
    await lms.db.orm.totps.where({ userId: victim.user.id }).update({ secret })
    lms.expectErrors()
    await refused(signIn(victim, codeOf(thief.secret, lms.clock.now())), 'INTERNAL')
  })

  it('that lies in clear from earlier is sealed by the job, while its owner signs in', async () => {
    const person = await guarded()
    const clear = inHex(person.secret)
    await lms.db.orm.totps.where({ userId: person.user.id }).update({ secret: clear })
    await signIn(person, codeOf(person.secret, lms.clock.now()))
    lms.clock.advance(30)
    await Promise.all([lms.work(), signIn(person, codeOf(person.secret, lms.clock.now()))])
    expect((await stored(person)).secret).toMatch(/^v1\.old\./)
    lms.clock.advance(30)
    await expect(signIn(person, codeOf(person.secret, lms.clock.now()))).resolves.toHaveProperty(
      'id',
    )
  })

  it('is sealed anew by a new key, and the old key is needed no more', async () => {
    const person = await guarded()
    const pending = await aVerified(lms)
    await pending.api.auth.totp.start.mutate()
    const env = {
      ...environmentOf(lms, database),
      SECRET_KEYS: `${NEW},${OLD}`,
      NODE_ENV: 'development',
    }
    // The thief's copy of an earlier test opens for nobody.
    await lms.db.driver.collection('totps').deleteMany({ recoveryHashes: { $size: 9 } })
    const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'secrets:seal'], {
      env: { ...process.env, ...env },
    }).catch((error: unknown) => error as { stdout: string })
    expect(stdout).toContain('by the key "new"')
    expect((await stored(person)).secret).toMatch(/^v1\.new\./)
    expect((await stored(pending)).secret).toMatch(/^v1\.new\./)
    const secretBox = openSecretBox([keyOf(NEW)])
    const sealed = (await stored(person)).secret
    expect(secretBox.open(sealed, person.user.id)).toBe(inHex(person.secret))
    expect(() => openSecretBox([keyOf(OLD)]).open(sealed, person.user.id)).toThrow('not here')
    const renamed = { id: 'new', key: keyOf(OLD).key }
    expect(() => openSecretBox([renamed]).open(sealed, person.user.id)).toThrow()

    const both = await startLms({ database: newDatabaseUrl(), env: { SECRET_KEYS: NEW } })
    const other = await aVerified(both)
    const factor = await secondFactor(other, both)
    expect(factor.recoveryCodes).toHaveLength(10)
    // Back to the first key, as an operator does who changes their mind.
    await sealSecrets({ db: lms.db, secretBox: openSecretBox([keyOf(OLD), keyOf(NEW)]) })
    await expect(signIn(person, codeOf(person.secret, lms.clock.now()))).resolves.toHaveProperty(
      'id',
    )
  })
})

describe('recovery codes', () => {
  it('have 120 bits each, too many to be guessed from what is stored', async () => {
    const { recoveryCodes } = await guarded()
    for (const code of recoveryCodes) expect(code).toMatch(/^([a-z2-7]{4}-){5}[a-z2-7]{4}$/)
  })

  it('are renewed for a code, and the old ones open nothing', async () => {
    const person = await guarded()
    const code = codeOf(person.secret, lms.clock.now())
    await refused(person.api.auth.totp.renewRecoveryCodes.mutate({ code: '000000' }), 'WRONG_CODE')
    const renewed = await person.api.auth.totp.renewRecoveryCodes.mutate({ code })
    await refused(signIn(person, person.recoveryCodes[0] ?? ''), 'WRONG_CODE')
    await expect(signIn(person, renewed.recoveryCodes[0] ?? '')).resolves.toHaveProperty('id')
    await lms.work()
    await lms.smtp.waitForMail(person.user.email, /new recovery codes/, 2_000)
    lms.clock.advance(11 * 60)
    const late = { code: codeOf(person.secret, lms.clock.now()) }
    await refused(person.api.auth.totp.renewRecoveryCodes.mutate(late), 'PASSWORD_NEEDED')
  })

  it('of earlier versions, which were shorter, go on working', async () => {
    const person = await guarded()
    const hash = createHash('sha256').update('abcdefghijklmnop').digest('hex')
    await lms.db.orm.totps.where({ userId: person.user.id }).update({ recoveryHashes: [hash] })
    await expect(signIn(person, 'abcd-efgh-ijkl-mnop')).resolves.toHaveProperty('id')
  })
})
