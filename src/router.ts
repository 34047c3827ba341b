import { authRouter } from './auth/router.ts'
import { resetLink, verificationLink } from './auth/verification.ts'
import { booksProcedures, earningsRouter, stuckProcedures } from './books/router.ts'
import { couponProcedures } from './coupons/router.ts'
import { coursesRouter } from './courses/router.ts'
import type { Job } from './jobs.ts'
import { repairRatings } from './learning/ratings.ts'
import {
  certificatesRouter,
  enrollmentsRouter,
  lessonsRouter,
  progressRouter,
  quizzesRouter,
  reviewsRouter,
} from './learning/router.ts'
import { sendMails } from './mail/outbox.ts'
import { sweepMedia } from './media/sweep.ts'
import { mediaRouter } from './media/router.ts'
import { orderJobs } from './payments/jobs.ts'
import { orderProcedures, previewProcedures } from './orders/router.ts'
import { paymentProcedures, refundsRouter } from './payments/router.ts'
import { router } from './trpc.ts'
import { finishDeletions } from './users/deletion.ts'
import { accountRouter, auditProcedures, usersRouter } from './users/router.ts'

export const appRouter = router({
  auth: authRouter,
  account: accountRouter,
  users: usersRouter,
  courses: coursesRouter,
  media: mediaRouter,
  enrollments: enrollmentsRouter,
  lessons: lessonsRouter,
  progress: progressRouter,
  quizzes: quizzesRouter,
  certificates: certificatesRouter,
  reviews: reviewsRouter,
  orders: router({ ...orderProcedures, ...paymentProcedures, ...stuckProcedures }),
  refunds: refundsRouter,
  coupons: router({ ...couponProcedures, ...previewProcedures }),
  earnings: earningsRouter,
  admin: router({ ...auditProcedures, ...booksProcedures }),
})

export type AppRouter = typeof appRouter

/** The work of every room that goes on by itself. */
export const jobs: Job[] = [
  sendMails({ 'verify-email': verificationLink, 'reset-password': resetLink }),
  finishDeletions,
  sweepMedia,
  repairRatings,
  ...orderJobs,
]
