import type { Uses } from '../deps.ts'
import { putMail } from '../mail/outbox.ts'
import type { FactorChange } from '../mail/mail.ts'

/**
 * Tells the owner that the second factor was changed, by whom it may have been. Nobody is greeted: the name may
 * be a squatter's, and to an address that nobody has confirmed nothing is said at all.
 */
export async function tellOfFactor(
  { db, now }: Uses<'db' | 'now'>,
  user: { id: string; email: string; emailVerified: boolean },
  change: FactorChange,
): Promise<void> {
  if (!user.emailVerified) return
  const at = now()
  await putMail(
    { db, now },
    {
      key: `second-factor:${user.id}:${change}:${at.getTime()}`,
      to: user.email,
      template: 'second-factor-changed',
      data: { at: at.toISOString(), change },
    },
  )
}
