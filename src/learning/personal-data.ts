import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../deps.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

type ExportedEnrollment = {
  courseId: string
  createdAt: Date
  access: { kind: string; from: Date; until: Date | null; revokedAt: Date | null }[]
}

async function readEnrollments(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedEnrollment[]> {
  const rows = await db.orm.enrollments.where({ userId }).orderBy(NEWEST_FIRST).limit(most).all()
  return rows.map(({ courseId, createdAt, grants }) => ({
    courseId,
    createdAt,
    access: grants.map(({ kind, at, until, revokedAt }) => ({
      kind,
      from: at,
      until: until ?? null,
      revokedAt: revokedAt ?? null,
    })),
  }))
}

type ExportedProgress = {
  courseId: string
  lessonId: string
  openedAt: Date | null
  completedAt: Date | null
  positionSeconds: number
}

async function readProgress(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedProgress[]> {
  const rows = await db.orm.lesson_progress.where({ userId }).orderBy({ _id: -1 }).limit(most).all()
  return rows.map(({ courseId, lessonId, openedAt, completedAt, positionSeconds }) => ({
    courseId,
    lessonId,
    openedAt: openedAt ?? null,
    completedAt: completedAt ?? null,
    positionSeconds,
  }))
}

type ExportedAttempt = {
  courseId: string
  lessonId: string
  number: number
  startedAt: Date
  submittedAt: Date | null
  score: number | null
  maxScore: number | null
}

async function readQuizAttempts(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedAttempt[]> {
  const rows = await db.orm.quiz_attempts
    .where({ userId })
    .select('courseId', 'lessonId', 'number', 'startedAt', 'submittedAt', 'score', 'maxScore')
    .orderBy({ _id: -1 })
    .limit(most)
    .all()
  return rows.map((row) => ({
    courseId: row.courseId,
    lessonId: row.lessonId,
    number: row.number,
    startedAt: row.startedAt,
    submittedAt: row.submittedAt ?? null,
    score: row.score ?? null,
    maxScore: row.maxScore ?? null,
  }))
}

type ExportedReview = { courseId: string; rating: number; body: string; createdAt: Date }

async function readReviews(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedReview[]> {
  const rows = await db.orm.reviews.where({ userId }).orderBy(NEWEST_FIRST).limit(most).all()
  return rows.map(({ courseId, rating, body, createdAt }) => ({
    courseId,
    rating,
    body,
    createdAt,
  }))
}

type ExportedCertificate = {
  publicId: string
  courseId: string
  courseTitle: string
  holderName: string
  issuedAt: Date
}

async function readCertificates(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedCertificate[]> {
  const rows = await db.orm.certificates.where({ userId }).orderBy({ _id: -1 }).limit(most).all()
  return rows.map(({ publicId, courseId, courseTitle, holderName, issuedAt }) => ({
    publicId,
    courseId,
    courseTitle,
    holderName,
    issuedAt,
  }))
}

// A certificate is revoked before its name goes: one without its holder's must never pass for valid.
async function erase(
  { db, now }: Uses<'db' | 'now'>,
  { userId, pseudonym }: Pick<Leaver, 'userId' | 'pseudonym'>,
): Promise<void> {
  const { orm } = db
  await orm.lesson_progress.where({ userId }).deleteAndCount()
  await orm.quiz_attempts.where({ userId }).deleteAndCount()
  await orm.certificates
    .where({ userId })
    .where(Field.isNull('revokedAt'))
    .updateAndCount({ revokedAt: now(), reason: 'The holder has deleted their account.' })
  await orm.certificates.where({ userId }).updateAndCount({ holderName: pseudonym })
}

/**
 * Enrollments stay, by which orders and seats are counted; so do reviews, under the pseudonym of their
 * author.
 */
export const learningData = {
  lists: {
    enrollments: readEnrollments,
    progress: readProgress,
    quizAttempts: readQuizAttempts,
    reviews: readReviews,
    certificates: readCertificates,
  },
  erase,
} satisfies PersonalData
