import { randomBytes } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { requireProven } from '../auth/unproven.ts'
import { isDuplicateKey, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { exactly, line, orNamed } from '../fields.ts'
import { CourseRef, requireEnrolledCourse } from './access/require-enrolled.ts'
import { findCoursesWithRevokedAccess } from './access/revoked-access.ts'
import { findCompletion, summarizeCompletion } from './progress/completion.ts'

const CertificateId = z.object({ publicId: exactly(1, 64) })

export const CertificateRef = orNamed(CertificateId, 'publicId', 'id')
export type CertificateRef = z.infer<typeof CertificateRef>

/** One's own by its course, or by its public id. */
export const OwnCertificateRef = z.union([CourseRef, CertificateRef])
export type OwnCertificateRef = z.infer<typeof OwnCertificateRef>

export const CertificateRevocation = CertificateId.extend({ reason: line(1, 200) })
export type CertificateRevocation = z.infer<typeof CertificateRevocation>

/** A certificate as anyone sees it who has its id. Names are as they were on the day it was issued. */
export type VerifiedCertificate = {
  /** The same as `publicId`: a certificate has no other. */
  id: string
  publicId: string
  status: 'VALID' | 'REVOKED'
  holderName: string
  courseTitle: string
  issuedAt: Date
  revokedAt: Date | null
}

export type Certificate = VerifiedCertificate & { courseId: string }

type CertificateDocument = Stored<'certificates'>

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
  const issued = await deps.db.orm.certificates.where(enrollment).first()
  if (issued) return requireOwnCertificate(deps, actor, ref)
  const course = await requireEnrolledCourse(deps, actor, ref)
  requireProven(actor, 'claim a certificate')
  const { completed, total } = summarizeCompletion(course, await findCompletion(deps, enrollment))
  if (total === 0 || completed < total) throw new DomainError('NOT_COMPLETED')
  try {
    const created = await deps.db.orm.certificates.create({
      ...enrollment,
      // 128 random bits: whoever holds the address was given it.
      publicId: randomBytes(16).toString('base64url'),
      holderName: actor.name,
      courseTitle: course.title,
      issuedAt: deps.now(),
      revokedAt: null,
      reason: null,
    })
    return { ...verifiedCertificate(created, null), courseId: created.courseId }
  } catch (error) {
    if (isDuplicateKey(error)) return requireOwnCertificate(deps, actor, ref)
    throw error
  }
}

/** One's own certificate, by its course or its public id. Throws NOT_FOUND. */
export async function requireOwnCertificate(
  deps: Uses<'db'>,
  actor: Actor,
  ref: OwnCertificateRef,
): Promise<Certificate> {
  const mine = deps.db.orm.certificates.where({ userId: actor.id })
  const found = await (
    'courseId' in ref
      ? mine.where({ courseId: ref.courseId })
      : mine.where({ publicId: ref.publicId })
  ).first()
  if (!found) throw new DomainError('NOT_FOUND')
  return { ...(await withAccessChecked(deps, found)), courseId: found.courseId }
}

/**
 * One's own certificates, newest first. A student has as many as courses completed, so the list is one page.
 */
export async function listMyCertificates(
  deps: Uses<'db'>,
  actor: Actor,
): Promise<{ items: Certificate[]; nextCursor: null }> {
  const [rows, revokedCourses] = await Promise.all([
    deps.db.orm.certificates.where({ userId: actor.id }).limit(500).all(),
    findCoursesWithRevokedAccess(deps, actor.id),
  ])
  const items = rows.map((row) => ({
    ...verifiedCertificate(row, revokedCourses.get(row.courseId) ?? null),
    courseId: row.courseId,
  }))
  items.sort((a, b) => b.issuedAt.getTime() - a.issuedAt.getTime())
  return { items, nextCursor: null }
}

/** What anyone who was shown a certificate can check. Throws NOT_FOUND. */
export async function verifyCertificate(
  deps: Uses<'db'>,
  ref: CertificateRef,
): Promise<VerifiedCertificate> {
  return withAccessChecked(deps, await requireCertificate(deps, ref))
}

/**
 * Revokes a certificate for good, with a reason for the audit log; again, it answers the same. Its id stays
 * and says REVOKED: a certificate that vanished would look like a typing error. Throws NOT_FOUND.
 */
export async function revokeCertificate(
  deps: Audited,
  actor: Actor,
  { publicId, reason }: CertificateRevocation,
): Promise<VerifiedCertificate> {
  const revoked = await deps.db.orm.certificates
    .where({ publicId })
    .where(MongoFieldFilter.isNull('revokedAt'))
    .update({ revokedAt: deps.now(), reason })
  if (!revoked) return verifyCertificate(deps, { publicId })
  const target = `certificate:${publicId}`
  await audit(deps, { actor, act: 'certificates.revoked', target, after: { reason } })
  return verifiedCertificate(revoked, null)
}

async function requireCertificate(
  { db }: Uses<'db'>,
  { publicId }: CertificateRef,
): Promise<CertificateDocument> {
  const found = await db.orm.certificates.where({ publicId }).first()
  if (!found) throw new DomainError('NOT_FOUND')
  return found
}

/** While the course is refunded its certificate is not valid; it is again once the buyer has access again. */
async function withAccessChecked(
  deps: Uses<'db'>,
  certificate: CertificateDocument,
): Promise<VerifiedCertificate> {
  const revokedCourses = await findCoursesWithRevokedAccess(deps, certificate.userId)
  return verifiedCertificate(certificate, revokedCourses.get(certificate.courseId) ?? null)
}

function verifiedCertificate(
  certificate: CertificateDocument,
  accessRevokedAt: Date | null,
): VerifiedCertificate {
  const { publicId, holderName, courseTitle, issuedAt } = certificate
  const revokedAt = certificate.revokedAt ?? accessRevokedAt
  const status = revokedAt ? 'REVOKED' : 'VALID'
  return { id: publicId, publicId, status, holderName, courseTitle, issuedAt, revokedAt }
}
