// A name may be misspelt, and a certificate revoked by mistake. Nothing issued is changed: another one replaces it.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { requireProven } from '../auth/unproven.ts'
import { findUser } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { exactly, line, personName } from '../fields.ts'
import type { CourseRef } from './access/require-enrolled.ts'
import {
  findCurrent,
  insertCertificate,
  verifiedCertificate,
  type Certificate,
  type CertificateDocument,
  type VerifiedCertificate,
} from './certificate.ts'

export const CertificateReissue = z.object({
  publicId: exactly(1, 64),
  /** Without it, the name that the holder's account has now. */
  holderName: personName(100).optional(),
  reason: line(1, 200),
})
export type CertificateReissue = z.infer<typeof CertificateReissue>

const MOST_BY_HOLDER = 1

/**
 * Replaces one's own certificate by one with the name that the account has now, once; where the name is the same it
 * answers the one that stands. Throws NOT_FOUND, EMAIL_UNPROVEN, CERTIFICATE_REVOKED, CERTIFICATE_CORRECTED.
 */
export async function reissueOwn(
  deps: Audited,
  actor: Actor,
  { courseId }: CourseRef,
): Promise<Certificate> {
  const holding = { userId: actor.id, courseId }
  const current = await findCurrent(deps, holding)
  if (!current) throw new DomainError('NOT_FOUND')
  requireProven(actor, 'claim a certificate')
  const { status } = await verifiedCertificate(deps, current)
  if (status === 'REVOKED') throw new DomainError('CERTIFICATE_REVOKED')
  if (current.holderName !== actor.name) {
    if (numberOf(current) > MOST_BY_HOLDER) throw new DomainError('CERTIFICATE_CORRECTED')
    const next = await replace(deps, current, actor.name)
    if (next) await unlessRevokedMeanwhile(deps, current, next)
    if (next) await noteReissue(deps, actor, { current, next, reason: 'name corrected' })
  }
  const standing = (await findCurrent(deps, holding)) ?? current
  return { ...(await verifiedCertificate(deps, standing)), courseId }
}

/**
 * Issues a certificate anew, also a revoked one, under the right name. Throws NOT_FOUND (no such certificate, or its
 * holder has left), CHANGED_MEANWHILE.
 */
export async function reissueFor(
  deps: Audited,
  actor: Actor,
  { publicId, holderName, reason }: CertificateReissue,
): Promise<VerifiedCertificate> {
  const given = await deps.db.orm.certificates.where({ publicId }).first()
  const current = given && (await findCurrent(deps, given))
  const holder = current && (await findUser(deps.db, { _id: current.userId }))
  if (!holder) throw new DomainError('NOT_FOUND')
  const name = holderName ?? holder.name
  if (!current.revokedAt && current.holderName === name) return verifiedCertificate(deps, current)
  const next = await replace(deps, current, name)
  if (!next) throw new DomainError('CHANGED_MEANWHILE')
  await noteReissue(deps, actor, { current, next, reason })
  return verifiedCertificate(deps, next)
}

const numberOf = ({ number }: CertificateDocument): number => number ?? 1

function replace(
  deps: Uses<'db' | 'now'>,
  current: CertificateDocument,
  holderName: string,
): Promise<CertificateDocument | null> {
  const { userId, courseId, courseTitle } = current
  const number = numberOf(current) + 1
  return insertCertificate(deps, { userId, courseId, courseTitle, holderName, number })
}

/**
 * An administrator may revoke the old one while its holder has it replaced. Each looks again after their own write,
 * so whichever came last takes the new one back.
 */
async function unlessRevokedMeanwhile(
  { db, now }: Uses<'db' | 'now'>,
  old: CertificateDocument,
  next: CertificateDocument,
): Promise<void> {
  const seen = await db.orm.certificates.where({ _id: old._id }).first()
  if (!seen?.revokedAt) return
  await db.orm.certificates
    .where({ _id: next._id })
    .where(MongoFieldFilter.isNull('revokedAt'))
    .update({ revokedAt: now(), reason: seen.reason ?? null })
}

type Reissue = { current: CertificateDocument; next: CertificateDocument; reason: string }

async function noteReissue(
  deps: Audited,
  actor: Actor,
  { current, next, reason }: Reissue,
): Promise<void> {
  const { userId, publicId: replacedBy } = next
  await audit(deps, {
    actor,
    act: 'certificates.reissued',
    target: `certificate:${current.publicId}`,
    after: { userId, replacedBy, reason },
  })
}
