import { changeLink, undoLink } from './auth/email-change.ts'
import { authData } from './auth/personal-data.ts'
import { authRouter } from './auth/router.ts'
import { sealSecretsAnew } from './auth/seal-secrets.ts'
import { admitMail } from './auth/unproven.ts'
import { resetLink, verificationLink } from './auth/verification.ts'
import { booksProcedures, earningsRouter, stuckProcedures } from './books/router.ts'
import { couponsData } from './coupons/personal-data.ts'
import { couponProcedures } from './coupons/router.ts'
import { coursesData } from './courses/personal-data.ts'
import { coursesRouter } from './courses/router.ts'
import { alignShelfOf, alignShelves } from './courses/shelf.ts'
import { billOpenInvoices } from './invoices/late-billing.ts'
import { missingCreditNotes } from './invoices/missing-credit-notes.ts'
import { invoicesData } from './invoices/personal-data.ts'
import { invoicesRouter } from './invoices/router.ts'
import type { Job } from './jobs.ts'
import { learningData } from './learning/personal-data.ts'
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
import { mailData } from './mail/personal-data.ts'
import { mediaData } from './media/personal-data.ts'
import { mediaRouter } from './media/router.ts'
import { sweepMedia } from './media/sweep.ts'
import { ordersData } from './orders/personal-data.ts'
import { orderProcedures, previewProcedures } from './orders/router.ts'
import { paymentJobs } from './payments/jobs.ts'
import { paymentsData } from './payments/personal-data.ts'
import { paymentProcedures, refundsRouter } from './payments/router.ts'
import { serverData } from './personal-data.ts'
import { router } from './trpc.ts'
import { finishDeletions } from './users/deletion.ts'
import { auditData } from './users/personal-data.ts'
import { accountRouter, auditProcedures, usersRouter } from './users/router.ts'

/** What each room keeps of a person, in the order in which it is erased. */
export const personalData = [
  authData,
  mailData,
  coursesData,
  mediaData,
  learningData,
  ordersData,
  couponsData,
  paymentsData,
  invoicesData,
  auditData,
  serverData,
] as const

/** Every procedure, by the room it is in. */
export const appRouter = router({
  auth: authRouter,
  account: accountRouter(personalData, billOpenInvoices),
  users: usersRouter(alignShelfOf),
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
  invoices: invoicesRouter,
  coupons: router({ ...couponProcedures, ...previewProcedures }),
  earnings: earningsRouter,
  admin: router({ ...auditProcedures, ...booksProcedures }),
})

/** What a frontend needs to know of us, and the one thing that it imports. */
export type AppRouter = typeof appRouter

/** The work of every room that goes on by itself. */
export const jobs: Job[] = [
  sendMails({
    links: {
      'verify-email': verificationLink,
      'reset-password': resetLink,
      'confirm-new-address': changeLink('NEW_ADDRESS'),
      'confirm-old-address': changeLink('OLD_ADDRESS'),
      'email-changed': undoLink,
    },
    admit: admitMail,
  }),
  finishDeletions(personalData),
  sealSecretsAnew,
  sweepMedia,
  repairRatings,
  alignShelves,
  missingCreditNotes,
  ...paymentJobs,
]
