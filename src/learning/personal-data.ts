import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

type ExportedEnrollment = {
  courseId: string
  createdAt: Date
  access: {
    kind: string
    from: Date
    until: Date | null
    revokedAt: Date | null
    reason: string | null
  }[]
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
    access: grants.map(({ kind, at, until, revokedAt, reason }) => ({
      kind,
      from: at,
      until: until ?? null,
      revokedAt: revokedAt ?? null,
      reason: reason ?? null,
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
  passed: boolean | null
  /** As they were given and graded; the questions are their author's. */
  answers: unknown
}

const ATTEMPT_FIELDS = [
  ...(['courseId', 'lessonId', 'number', 'startedAt', 'submittedAt'] as const),
  ...(['score', 'maxScore', 'passed', 'answers'] as const),
] as const

async function readQuizAttempts(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedAttempt[]> {
  const rows = await db.orm.quiz_attempts
    .where({ userId })
    .select(...ATTEMPT_FIELDS)
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
    passed: row.passed ?? null,
    answers: row.answers ?? null,
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
  revokedAt: Date | null
  reason: string | null
}

async function readCertificates(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedCertificate[]> {
  const rows = await db.orm.certificates.where({ userId }).orderBy({ _id: -1 }).limit(most).all()
  return rows.map((row) => ({
    publicId: row.publicId,
    courseId: row.courseId,
    courseTitle: row.courseTitle,
    holderName: row.holderName,
    issuedAt: row.issuedAt,
    revokedAt: row.revokedAt ?? null,
    reason: row.reason ?? null,
  }))
}

// The stars stay, by which a rating is counted; what was written goes. Why access was given or ended somebody wrote in
// words of their own, except where money did it.
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
  await orm.reviews.where({ userId }).updateAndCount({ body: '' })
  const unpaid = { arrayFilters: [{ 'given.kind': { $ne: 'PAID' } }] }
  await db.driver
    .collection('enrollments')
    .updateMany(
      { userId: new ObjectId(userId) },
      { $set: { 'grants.$[given].reason': null } },
      unpaid,
    )
}

/** Enrollments stay, by which orders and seats are counted; so do the stars of reviews, under a pseudonym. */
export const learningData = {
  lists: {
    enrollments: readEnrollments,
    progress: readProgress,
    quizAttempts: readQuizAttempts,
    reviews: readReviews,
    certificates: readCertificates,
  },
  keeps: {
    enrollments: {
      what: 'which courses are open, since when and why',
      after: 'stay under the id, without reasons that somebody wrote',
      until: 'for ever',
    },
    lesson_progress: { what: 'what was opened and done', after: 'removed', until: 'they leave' },
    quiz_attempts: { what: 'answers and scores', after: 'removed', until: 'they leave' },
    reviews: {
      what: 'stars, and a text under their name',
      after: 'the stars stay under a pseudonym, the text goes',
      until: 'it is removed',
    },
    certificates: {
      what: 'the holder’s name, for anyone with the id',
      after: 'stay, revoked, under a pseudonym: one that vanished would look like a typing error',
      until: 'for ever',
    },
  },
  erase,
} satisfies PersonalData
