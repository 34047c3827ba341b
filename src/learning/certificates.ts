import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { requireProven } from '../auth/unproven.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { exactly, line, orNamed } from '../fields.ts'
import { CourseRef, requireEnrolledCourse } from './access/require-enrolled.ts'
import { findCoursesWithRevokedAccess } from './access/revoked-access.ts'
import {
  findCurrent,
  insertCertificate,
  shownCertificate,
  verifiedCertificate,
  type Certificate,
  type CertificateDocument,
  type VerifiedCertificate,
} from './certificate.ts'
import { findCompletion, summarizeCompletion } from './progress/completion.ts'

const CertificateId = z.object({ publicId: exactly(1, 64) })

export const CertificateRef = orNamed(CertificateId, 'publicId', 'id')
export type CertificateRef = z.infer<typeof CertificateRef>

/** One's own by its course, or by its public id. */
export const OwnCertificateRef = z.union([CourseRef, CertificateRef])
export type OwnCertificateRef = z.infer<typeof OwnCertificateRef>

export const CertificateRevocation = CertificateId.extend({ reason: line(1, 200) })
export type CertificateRevocation = z.infer<typeof CertificateRevocation>

/**
 * Issues a student's one certificate for a course; again, it answers the same one. Throws EMAIL_UNPROVEN, NOT_FOUND,
 * NOT_ENROLLED, or NOT_COMPLETED (a listed lesson is not completed, or there are none).
 */
export async function claimCertificate(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: CourseRef,
): Promise<Certificate> {
  const enrollment = { userId: actor.id, courseId: ref.courseId }
  const issued = await findCurrent(deps, enrollment)
  if (issued) return requireOwnCertificate(deps, actor, ref)
  const course = await requireEnrolledCourse(deps, actor, ref)
  requireProven(actor, 'claim a certificate')
  const { completed, total } = summarizeCompletion(course, await findCompletion(deps, enrollment))
  if (total === 0 || completed < total) throw new DomainError('NOT_COMPLETED')
  const names = { holderName: actor.name, courseTitle: course.title }
  await insertCertificate(deps, { ...enrollment, ...names, number: null })
  return requireOwnCertificate(deps, actor, ref)
}

/** One's own certificate, by its course or its public id. Throws NOT_FOUND. */
export async function requireOwnCertificate(
  deps: Uses<'db'>,
  actor: Actor,
  ref: OwnCertificateRef,
): Promise<Certificate> {
  const userId = actor.id
  const found = await ('courseId' in ref
    ? findCurrent(deps, { userId, courseId: ref.courseId })
    : deps.db.orm.certificates.where({ userId, publicId: ref.publicId }).first())
  if (!found) throw new DomainError('NOT_FOUND')
  return { ...(await verifiedCertificate(deps, found)), courseId: found.courseId }
}

/**
 * One's own certificates that stand, newest first. A student has as many as courses completed, so the list is one
 * page.
 */
export async function listMyCertificates(
  deps: Uses<'db'>,
  actor: Actor,
): Promise<{ items: Certificate[]; nextCursor: null }> {
  const [rows, revokedCourses] = await Promise.all([
    deps.db.orm.certificates.where({ userId: actor.id }).limit(500).all(),
    findCoursesWithRevokedAccess(deps, actor.id),
  ])
  const byNumber = [...rows].sort((a, b) => (a.number ?? 1) - (b.number ?? 1))
  const standing = new Map(byNumber.map((row) => [row.courseId, row]))
  const items = [...standing.values()].map((row) => {
    const accessRevokedAt = revokedCourses.get(row.courseId) ?? null
    const shown = shownCertificate(row, { accessRevokedAt, replacedBy: null })
    return { ...shown, courseId: row.courseId }
  })
  items.sort((a, b) => b.issuedAt.getTime() - a.issuedAt.getTime())
  return { items, nextCursor: null }
}

/** What anyone who was shown a certificate can check. Throws NOT_FOUND. */
export async function verifyCertificate(
  deps: Uses<'db'>,
  ref: CertificateRef,
): Promise<VerifiedCertificate> {
  return verifiedCertificate(deps, await requireCertificate(deps, ref))
}

/**
 * Revokes a certificate, and the one that stands in its place, with a reason for the audit log; again, it answers
 * the same. Its id stays and says REVOKED: a certificate that vanished would look like a typing error. Only an
 * administrator can have it issued anew. Throws NOT_FOUND.
 */
export async function revokeCertificate(
  deps: Audited,
  actor: Actor,
  { publicId, reason }: CertificateRevocation,
): Promise<VerifiedCertificate> {
  const revoked = await markRevoked(deps, { publicId, reason })
  if (!revoked) return verifyCertificate(deps, { publicId })
  // Its holder may be having it replaced: looked for after the write, nothing slips between.
  const current = await findCurrent(deps, revoked)
  if (current) await markRevoked(deps, { publicId: current.publicId, reason })
  const { userId } = revoked
  const target = `certificate:${publicId}`
  await audit(deps, { actor, act: 'certificates.revoked', target, after: { userId, reason } })
  return verifiedCertificate(deps, revoked)
}

async function markRevoked(
  { db, now }: Uses<'db' | 'now'>,
  { publicId, reason }: CertificateRevocation,
): Promise<CertificateDocument | null> {
  return db.orm.certificates
    .where({ publicId })
    .where(MongoFieldFilter.isNull('revokedAt'))
    .update({ revokedAt: now(), reason })
}

async function requireCertificate(
  { db }: Uses<'db'>,
  { publicId }: CertificateRef,
): Promise<CertificateDocument> {
  const found = await db.orm.certificates.where({ publicId }).first()
  if (!found) throw new DomainError('NOT_FOUND')
  return found
}
