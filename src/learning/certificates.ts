import { randomBytes } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { isDuplicateKey, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { line, orNamed } from '../fields.ts'
import { findCompletion, summarizeCompletion } from './progress/completion.ts'
import { CourseRef, requireEnrolled } from './access/require-enrolled.ts'
import { findRevokedCourses } from './access/revoked-access.ts'

const Named = z.object({ publicId: z.string().min(1).max(64) })

export const CertificateRef = orNamed(Named, 'publicId', 'id')
export type CertificateRef = z.infer<typeof CertificateRef>

/** One's own by its course, or by its public id. */
export const OwnCertificateRef = z.union([CourseRef, CertificateRef])
export type OwnCertificateRef = z.infer<typeof OwnCertificateRef>

export const CertificateRevocation = Named.extend({ reason: line(1, 200) })
export type CertificateRevocation = z.infer<typeof CertificateRevocation>

/** What anyone who is shown a certificate can check. Names are as they were on the day it was issued. */
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

/** Issues the one certificate of this user for this course; again, it answers the same one. */
export async function claimCertificate(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: CourseRef,
): Promise<Certificate> {
  const whose = { userId: actor.id, courseId: ref.courseId }
  const issued = await deps.db.orm.certificates.where(whose).first()
  if (issued) return requireOwnCertificate(deps, actor, ref)
  const course = await requireEnrolled(deps, actor, ref)
  const { completed, total } = summarizeCompletion(course, await findCompletion(deps, whose))
  if (total === 0 || completed < total) throw new DomainError('NOT_COMPLETED')
  try {
    const made = await deps.db.orm.certificates.create({
      ...whose,
      // 128 random bits: whoever holds the address was given it.
      publicId: randomBytes(16).toString('base64url'),
      holderName: actor.name,
      courseTitle: course.title,
      issuedAt: deps.now(),
      revokedAt: null,
      reason: null,
    })
    return { ...verifiedCertificate(made, null), courseId: made.courseId }
  } catch (error) {
    if (isDuplicateKey(error)) return requireOwnCertificate(deps, actor, ref)
    throw error
  }
}

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

// A person has as many as courses finished, so the list is one page.
export async function listMyCertificates(
  deps: Uses<'db'>,
  actor: Actor,
): Promise<{ items: Certificate[]; nextCursor: null }> {
  const [rows, takenBack] = await Promise.all([
    deps.db.orm.certificates.where({ userId: actor.id }).limit(500).all(),
    findRevokedCourses(deps, actor.id),
  ])
  const items = rows.map((row) => ({
    ...verifiedCertificate(row, takenBack.get(row.courseId) ?? null),
    courseId: row.courseId,
  }))
  items.sort((a, b) => b.issuedAt.getTime() - a.issuedAt.getTime())
  return { items, nextCursor: null }
}

export async function verifyCertificate(
  deps: Uses<'db'>,
  ref: CertificateRef,
): Promise<VerifiedCertificate> {
  return withAccessChecked(deps, await requireCertificate(deps, ref))
}

/** The id stays and says that it was revoked: a certificate that vanished would look like a typing error. */
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

/** While the course is refunded its certificate is not valid, and is again once access is back. */
async function withAccessChecked(
  deps: Uses<'db'>,
  certificate: CertificateDocument,
): Promise<VerifiedCertificate> {
  const takenBack = await findRevokedCourses(deps, certificate.userId)
  return verifiedCertificate(certificate, takenBack.get(certificate.courseId) ?? null)
}

function verifiedCertificate(
  certificate: CertificateDocument,
  takenBackAt: Date | null,
): VerifiedCertificate {
  const { publicId, holderName, courseTitle, issuedAt } = certificate
  const revokedAt = certificate.revokedAt ?? takenBackAt
  const status = revokedAt ? 'REVOKED' : 'VALID'
  return { id: publicId, publicId, status, holderName, courseTitle, issuedAt, revokedAt }
}
