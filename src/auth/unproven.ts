// Anybody can register anybody's address, under any name. Until somebody has followed a link that was mailed to
// it, an account may do what harms nobody else: buy and learn. What it may not, and what is mailed to it, is said
// here alone, and shown in docs/security.md.
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Mail } from '../mail/mail.ts'
import type { Admission } from '../mail/outbox.ts'
import { bucketKey, countAttempt } from './throttle.ts'
import { findUser, type UserDocument } from './user.ts'

/** What an account may do before its address is proven. */
export const UNPROVEN_ACTS = {
  buy: true,
  learn: true,
  review: false,
  'claim a certificate': false,
  'be granted access by address': false,
} as const
type UnprovenAct = keyof typeof UNPROVEN_ACTS

const DAY_SECONDS = 24 * 60 * 60

/**
 * How many mails of a kind an unproven address gets in a day: about the account, or about money, which costs
 * whoever causes them. A link to a new password is limited where it is asked for, and never runs out.
 */
export const MAILS_A_DAY = { account: 10, money: 40, asked: null } as const

/** Of which kind each mail is. None of them greets an unproven address by a name. */
export const UNPROVEN_MAILS: Record<Mail['template'], keyof typeof MAILS_A_DAY> = {
  'verify-email': 'account',
  'reset-password': 'asked',
  'password-changed': 'account',
  'new-sign-in': 'account',
  'confirm-new-address': 'account',
  'confirm-old-address': 'account',
  'email-change-asked': 'account',
  'email-changed': 'account',
  'second-factor-changed': 'account',
  receipt: 'money',
  enrolled: 'money',
  refund: 'money',
  'late-payment': 'money',
  'order-review': 'money',
}

/** Whether an account with this address may do that. */
function mayAct(user: { emailVerified: boolean }, act: UnprovenAct): boolean {
  return user.emailVerified || UNPROVEN_ACTS[act]
}

/** Refuses what needs a proven address. Throws EMAIL_UNPROVEN. */
export function requireProven(user: { emailVerified: boolean }, act: UnprovenAct): void {
  if (!mayAct(user, act)) throw new DomainError('EMAIL_UNPROVEN')
}

/**
 * The mail as it may go to this address now: greeting its owner by name where the address is proven, else nobody,
 * with nothing of free courses, and so many a day. Null where it may not go.
 */
export const admitMail: Admission = async (deps, { to, mail, isFirst }) => {
  const user = await findUser(deps.db, { email: to })
  const { template } = mail
  const data = Object.fromEntries(Object.entries(mail.data).filter(([field]) => field !== 'name'))
  if (user?.emailVerifiedAt) return Mail.parse({ template, data: { ...data, name: user.name } })
  if (mail.template === 'enrolled' && mail.data.isFree === true) return null
  return isFirst && (await isTooMany(deps, to, template)) ? null : Mail.parse({ template, data })
}

/** By the address and not the account: who deletes one and registers again begins no new day. */
async function isTooMany(
  deps: Uses<'db' | 'now'>,
  to: string,
  template: Mail['template'],
): Promise<boolean> {
  const kind = UNPROVEN_MAILS[template]
  const most = MAILS_A_DAY[kind]
  if (most === null) return false
  const limit = { key: bucketKey(`unproven-${kind}`, to), most, seconds: DAY_SECONDS }
  return (await countAttempt(deps, limit)) !== null
}

/** Somebody found by an address that they have shown to be theirs; anybody else is as good as unknown. */
export async function findByProvenAddress(
  { db }: Uses<'db'>,
  email: string,
): Promise<UserDocument | null> {
  const user = await findUser(db, { email })
  const emailVerified = Boolean(user?.emailVerifiedAt)
  return mayAct({ emailVerified }, 'be granted access by address') ? user : null
}
