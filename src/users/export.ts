import type { Actor } from '../auth/sessions.ts'
import { findUser, userOf, type User } from '../auth/user.ts'
import type { Db } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { NEWEST_FIRST } from '../paging.ts'
import { billingOf, type Billing } from './profile.ts'

/** No list in an export is longer than this; `complete` says whether one was cut, newest kept. */
const MOST_ROWS = 2_000

export type AccountExport = {
  exportedAt: Date
  complete: boolean
  user: User & { billing: Billing | null }
  sessions: {
    createdAt: Date
    lastUsedAt: Date
    userAgent: string | null
    network: string | null
  }[]
  enrollments: { courseId: string; createdAt: Date; access: Access[] }[]
  progress: {
    courseId: string
    lessonId: string
    completedAt: Date | null
    positionSeconds: number
  }[]
  quizAttempts: {
    courseId: string
    lessonId: string
    number: number
    startedAt: Date
    submittedAt: Date | null
    score: number | null
    maxScore: number | null
  }[]
  orders: {
    id: string
    status: string
    currency: string
    amountPaise: number
    lines: { courseId: string; title: string; amountPaise: number }[]
    createdAt: Date
    paidAt: Date | null
  }[]
  invoices: { number: string; orderId: string; issuedAt: Date }[]
  reviews: { courseId: string; rating: number; body: string; createdAt: Date }[]
  certificates: {
    publicId: string
    courseId: string
    courseTitle: string
    holderName: string
    issuedAt: Date
  }[]
  activity: { at: Date; act: string; network: string | null }[]
}

type Access = { kind: string; from: Date; until: Date | null; revokedAt: Date | null }

/** Everything that is kept of this person, in one answer. Reads other rooms' rows, never their secrets. */
export async function exportAccount(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
): Promise<AccountExport> {
  const user = await findUser(db, { _id: actor.id })
  if (!user) throw new DomainError('UNAUTHENTICATED')
  const lists = await readLists(db, actor.id)
  return {
    exportedAt: now(),
    complete: Object.values(lists).every((rows) => rows.length < MOST_ROWS),
    user: { ...userOf(user), billing: billingOf(user) },
    sessions: lists.sessions.map(({ createdAt, lastUsedAt, userAgent, network }) => ({
      createdAt,
      lastUsedAt,
      userAgent: userAgent ?? null,
      network: network ?? null,
    })),
    enrollments: lists.enrollments.map(({ courseId, createdAt, grants }) => ({
      courseId,
      createdAt,
      access: grants.map(({ kind, at, until, revokedAt }) => ({
        kind,
        from: at,
        until: until ?? null,
        revokedAt: revokedAt ?? null,
      })),
    })),
    progress: lists.progress.map(({ courseId, lessonId, completedAt, positionSeconds }) => ({
      courseId,
      lessonId,
      completedAt: completedAt ?? null,
      positionSeconds,
    })),
    quizAttempts: lists.quizAttempts.map((row) => ({
      courseId: row.courseId,
      lessonId: row.lessonId,
      number: row.number,
      startedAt: row.startedAt,
      submittedAt: row.submittedAt ?? null,
      score: row.score ?? null,
      maxScore: row.maxScore ?? null,
    })),
    orders: lists.orders.map((row) => ({
      id: row._id,
      status: row.status,
      currency: row.currency,
      amountPaise: row.amountPaise,
      lines: row.lines.map(({ courseId, title, amountPaise }) => ({
        courseId,
        title,
        amountPaise,
      })),
      createdAt: row.createdAt,
      paidAt: row.paidAt ?? null,
    })),
    invoices: lists.invoices.map(({ number, orderId, issuedAt }) => ({
      number,
      orderId,
      issuedAt,
    })),
    reviews: lists.reviews.map(({ courseId, rating, body, createdAt }) => ({
      courseId,
      rating,
      body,
      createdAt,
    })),
    certificates: lists.certificates.map((row) => ({
      publicId: row.publicId,
      courseId: row.courseId,
      courseTitle: row.courseTitle,
      holderName: row.holderName,
      issuedAt: row.issuedAt,
    })),
    activity: lists.activity.map(({ at, act, network }) => ({ at, act, network: network ?? null })),
  }
}

async function readLists({ orm }: Db, userId: string) {
  const mine = { userId }
  const [sessions, enrollments, progress, quizAttempts, orders] = await Promise.all([
    orm.sessions.where(mine).orderBy(NEWEST_FIRST).limit(MOST_ROWS).all(),
    orm.enrollments.where(mine).orderBy(NEWEST_FIRST).limit(MOST_ROWS).all(),
    orm.lesson_progress.where(mine).orderBy({ _id: -1 }).limit(MOST_ROWS).all(),
    orm.quiz_attempts.where(mine).orderBy({ _id: -1 }).limit(MOST_ROWS).all(),
    orm.orders.where(mine).orderBy(NEWEST_FIRST).limit(MOST_ROWS).all(),
  ])
  const [invoices, reviews, certificates, activity] = await Promise.all([
    orm.invoices.where(mine).orderBy({ _id: -1 }).limit(MOST_ROWS).all(),
    orm.reviews.where(mine).orderBy(NEWEST_FIRST).limit(MOST_ROWS).all(),
    orm.certificates.where(mine).orderBy({ _id: -1 }).limit(MOST_ROWS).all(),
    orm.audit_entries.where({ actorId: userId }).orderBy({ at: -1 }).limit(MOST_ROWS).all(),
  ])
  return {
    sessions,
    enrollments,
    progress,
    quizAttempts,
    orders,
    invoices,
    reviews,
    certificates,
    activity,
  }
}
