import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import { mailedToken } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { SELLER_NAME: 'Tabla House' } })
})

const address = () => `asha.rao.${randomBytes(4).toString('hex')}@kaveri-music.example`

const register = (password: string, email = address()) =>
  lms.visitor().api.auth.register.mutate({ name: 'Asha Rao', email, password })

describe('a password is refused', () => {
  it.each([
    ['a common one with a mark behind it', 'password1!'],
    ['a common one in the usual disguise', 'Welcome@123'],
    ['a common one, letters written as digits', 'P@ssw0rd2024'],
    ['a row of keys', 'qwerty12345'],
    ['a row of keys that grows', 'Zxcvbnm,./1'],
    ['a common one, letter by letter', 'p-a-s-s-w-o-r-d'],
    ['a common one in wide letters', 'ｐａｓｓｗｏｒｄ１２３'],
    ['a common one with marks on its letters', 'pässwörd123'],
    ['a common one with marks nobody sees', 'pass\u200bword\u00ad123'],
    ['a word of the trade with digits', 'gurukul123'],
    ['a word of the trade and a year', 'Student@2026'],
    ['one word with a short tail', 'Mumbai@123'],
    ['the shop’s name', 'Tabla@House1'],
    ['the shop’s name twice', 'tablahousetablahouse'],
    ['one’s own name and a year', 'asha1990!'],
    ['one’s own name and a birthday', 'Rao#14/11/1990'],
    ['one’s own domain', 'Kaveri2024'],
    ['a few characters, over and over', 'xyzxyzxyzxyzxyzxyz'],
  ])('that is %s', async (_what, password) => {
    const [issue] = await refused(register(password), 'WEAK_PASSWORD')
    expect(issue?.path).toBe('password')
    expect(issue?.message).toMatch(/^(is|has|repeats) /)
    expect(issue?.message).not.toContain(password)
  })

  it('at every door where one is chosen', async () => {
    const person = await aStudent(lms)
    const change = { current: person.password, next: 'Welcome@123' }
    const [issue] = await refused(person.api.auth.changePassword.mutate(change), 'WEAK_PASSWORD')
    expect(issue?.path).toBe('next')
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: person.user.email })
    const token = await mailedToken(lms, person.user.email, /Choose a new password/)
    const reset = { token, password: 'tablahouse99' }
    await refused(lms.visitor().api.auth.resetPassword.mutate(reset), 'WEAK_PASSWORD')
  })
})

describe('a password is taken', () => {
  it.each([
    ['four words', 'correct horse battery staple'],
    ['three words', 'kite-over-jaipur'],
    ['words of another script', 'नदी पर पुराना पुल'],
    ['eight characters by chance', 'k7Fq2mZp'],
    ['a phrase with a common word in it', 'no password rides this elephant'],
    ['128 characters', 'every good river runs past a red house '.repeat(4).slice(0, 128)],
    ['a repeated beginning with a good end', `${'ab'.repeat(30)} six purple camels hum at dawn`],
  ])('that is %s, whatever kinds of characters it has', async (_what, password) => {
    await expect(register(password)).resolves.toHaveProperty('id')
  })

  it('in whichever width its letters come', async () => {
    const email = address()
    await register('ｂｌｕｅ kettle sings ①', email)
    const signIn = { email, password: 'blue kettle sings 1' }
    await expect(lms.visitor().api.auth.login.mutate(signIn)).resolves.toHaveProperty('id')
  })
})
