import { authorProcedure } from '../courses/owner-procedure.ts'
import { AnyPage } from '../fields.ts'
import { authedProcedure, publicProcedure, roleProcedure, router } from '../trpc.ts'
import { grantAccess, AccessGrant, revokeAccess, AccessRevocation } from './access/grant-access.ts'
import { AttemptPage, listMyAttempts } from './quizzes/attempts.ts'
import {
  CertificateRef,
  CertificateRevocation,
  claimCertificate,
  OwnCertificateRef,
  requireOwnCertificate,
  listMyCertificates,
  revokeCertificate,
  verifyCertificate,
} from './certificates.ts'
import { listMyEnrollments, enrollForFree } from './access/enrollments.ts'
import { explainAccess, openLesson } from './access/open-lesson.ts'
import {
  completeLesson,
  requireProgress,
  Position,
  reopenLesson,
  setPosition,
} from './progress/course-progress.ts'
import {
  AttemptRef,
  requireQuizResult,
  startQuiz,
  Submission,
  submitQuiz,
} from './quizzes/submit-quiz.ts'
import { CourseRef, LessonRef } from './access/require-enrolled.ts'
import {
  listReviews,
  NewReview,
  putReview,
  removeReview,
  ReviewPage,
  ReviewRef,
} from './reviews.ts'
import { requireRoster, RosterPage } from './access/roster.ts'

export const enrollmentsRouter = router({
  mine: authedProcedure
    .input(AnyPage)
    .query(({ ctx, input }) => listMyEnrollments(ctx, ctx.actor, input)),
  start: authedProcedure
    .input(CourseRef)
    .mutation(({ ctx, input }) => enrollForFree(ctx, ctx.actor, input)),
  list: authorProcedure
    .input(RosterPage)
    .query(({ ctx, input }) => requireRoster(ctx, ctx.actor, input)),
  grant: authorProcedure
    .input(AccessGrant)
    .mutation(({ ctx, input }) => grantAccess(ctx, ctx.actor, input)),
  revoke: authorProcedure
    .input(AccessRevocation)
    .mutation(({ ctx, input }) => revokeAccess(ctx, ctx.actor, input)),
})

export const lessonsRouter = router({
  open: publicProcedure
    .input(LessonRef)
    .query(({ ctx, input }) => openLesson(ctx, ctx.actor, input)),
  explainAccess: publicProcedure
    .input(LessonRef)
    .query(({ ctx, input }) => explainAccess(ctx, ctx.actor, input)),
})

export const progressRouter = router({
  get: authedProcedure
    .input(CourseRef)
    .query(({ ctx, input }) => requireProgress(ctx, ctx.actor, input)),
  complete: authedProcedure
    .input(LessonRef)
    .mutation(({ ctx, input }) => completeLesson(ctx, ctx.actor, input)),
  reopen: authedProcedure
    .input(LessonRef)
    .mutation(({ ctx, input }) => reopenLesson(ctx, ctx.actor, input)),
  position: authedProcedure
    .input(Position)
    .mutation(({ ctx, input }) => setPosition(ctx, ctx.actor, input)),
})

export const quizzesRouter = router({
  start: authedProcedure
    .input(LessonRef)
    .mutation(({ ctx, input }) => startQuiz(ctx, ctx.actor, input)),
  submit: authedProcedure
    .input(Submission)
    .mutation(({ ctx, input }) => submitQuiz(ctx, ctx.actor, input)),
  result: authedProcedure
    .input(AttemptRef)
    .query(({ ctx, input }) => requireQuizResult(ctx, ctx.actor, input)),
  attempts: authedProcedure
    .input(AttemptPage)
    .query(({ ctx, input }) => listMyAttempts(ctx, ctx.actor, input)),
})

export const certificatesRouter = router({
  claim: authedProcedure
    .input(CourseRef)
    .mutation(({ ctx, input }) => claimCertificate(ctx, ctx.actor, input)),
  get: authedProcedure
    .input(OwnCertificateRef)
    .query(({ ctx, input }) => requireOwnCertificate(ctx, ctx.actor, input)),
  mine: authedProcedure.query(({ ctx }) => listMyCertificates(ctx, ctx.actor)),
  verify: publicProcedure
    .input(CertificateRef)
    .query(({ ctx, input }) => verifyCertificate(ctx, input)),
  revoke: roleProcedure('ADMIN')
    .input(CertificateRevocation)
    .mutation(({ ctx, input }) => revokeCertificate(ctx, ctx.actor, input)),
})

export const reviewsRouter = router({
  list: publicProcedure
    .input(ReviewPage)
    .query(({ ctx, input }) => listReviews(ctx, ctx.actor, input)),
  put: authedProcedure
    .input(NewReview)
    .mutation(({ ctx, input }) => putReview(ctx, ctx.actor, input)),
  remove: authedProcedure
    .input(ReviewRef)
    .mutation(({ ctx, input }) => removeReview(ctx, ctx.actor, input)),
})
