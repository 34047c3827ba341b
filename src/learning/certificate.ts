// A student's certificates for one course are numbered: the one of the highest number stands, and replaces those
// before it, which stay and say so. The unique number decides between two who issue the next at once.
import { randomBytes } from 'node:crypto'
import { isDuplicateKey, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { findCoursesWithRevokedAccess } from './access/revoked-access.ts'

/** A certificate as anyone sees it who has its id. Names are as they were on the day it was issued. */
export type VerifiedCertificate = {
  /** The same as `publicId`: a certificate has no other. */
  id: string
  publicId: string
  status: 'VALID' | 'REVOKED' | 'REPLACED'
  holderName: string
  courseTitle: string
  issuedAt: Date
  revokedAt: Date | null
  /** The public id of the one that stands in its place. */
  replacedBy: string | null
}

export type Certificate = VerifiedCertificate & { courseId: string }

export type CertificateDocument = Stored<'certificates'>

type Holding = { userId: string; courseId: string }

/** The certificate that stands of this student and course, revoked or not. */
export function findCurrent(
  { db }: Uses<'db'>,
  { userId, courseId }: Holding,
): Promise<CertificateDocument | null> {
  const all = db.orm.certificates.where({ userId, courseId })
  return Promise.resolve(all.orderBy({ number: -1 }).first())
}

type NewCertificate = Holding & { number: number | null; holderName: string; courseTitle: string }

/** Null where somebody else has issued this number. */
export async function insertCertificate(
  { db, now }: Uses<'db' | 'now'>,
  certificate: NewCertificate,
): Promise<CertificateDocument | null> {
  try {
    return await db.orm.certificates.create({
      ...certificate,
      // 128 random bits: whoever holds the address was given it.
      publicId: randomBytes(16).toString('base64url'),
      issuedAt: now(),
      revokedAt: null,
      reason: null,
    })
  } catch (error) {
    if (isDuplicateKey(error)) return null
    throw error
  }
}

/**
 * A certificate as it stands now. While the course is refunded it is not valid; it is again once the buyer has
 * access again.
 */
export async function verifiedCertificate(
  deps: Uses<'db'>,
  certificate: CertificateDocument,
): Promise<VerifiedCertificate> {
  const [revokedCourses, current] = await Promise.all([
    findCoursesWithRevokedAccess(deps, certificate.userId),
    findCurrent(deps, certificate),
  ])
  const replacedBy = current && current._id !== certificate._id ? current.publicId : null
  const accessRevokedAt = revokedCourses.get(certificate.courseId) ?? null
  return shownCertificate(certificate, { accessRevokedAt, replacedBy })
}

type Standing = { accessRevokedAt: Date | null; replacedBy: string | null }

/** The same where it is known already how it stands. */
export function shownCertificate(
  { publicId, holderName, courseTitle, issuedAt, ...certificate }: CertificateDocument,
  { accessRevokedAt, replacedBy }: Standing,
): VerifiedCertificate {
  const revokedAt = certificate.revokedAt ?? accessRevokedAt
  const standing = replacedBy === null ? 'VALID' : 'REPLACED'
  const status = revokedAt ? 'REVOKED' : standing
  const names = { holderName, courseTitle, issuedAt }
  return { id: publicId, publicId, status, ...names, revokedAt, replacedBy }
}
