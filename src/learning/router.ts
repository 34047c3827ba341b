import { ownerProcedure } from '../courses/owner-procedure.ts'
import { AnyPage } from '../fields.ts'
import { authedProcedure, publicProcedure, roleProcedure, router } from '../trpc.ts'
import { enrollForFree, listMyEnrollments } from './access/enrollments.ts'
import { explainAccess } from './access/explain-access.ts'
import { AccessGrant, AccessRevocation, grantAccess, revokeAccess } from './access/grant-access.ts'
import { openLesson } from './access/open-lesson.ts'
import { CourseRef, LessonRef } from './access/require-enrolled.ts'
import { listRoster, RosterPage } from './access/roster.ts'
import {
  CertificateRef,
  CertificateRevocation,
  claimCertificate,
  listMyCertificates,
  OwnCertificateRef,
  requireOwnCertificate,
  revokeCertificate,
  verifyCertificate,
} from './certificates.ts'
import { requireProgress } from './progress/course-progress.ts'
import { completeLesson, reopenLesson } from './progress/lesson-completion.ts'
import { Position, setPosition } from './progress/watch-position.ts'
import { AttemptRef, requireQuizResult } from './quizzes/attempt-result.ts'
import { AttemptPage, listMyAttempts } from './quizzes/attempts.ts'
import { startQuiz } from './quizzes/start-quiz.ts'
import { Submission, submitQuiz } from './quizzes/submit-quiz.ts'
import { CertificateReissue, reissueFor, reissueOwn } from './reissue.ts'
import {
  listReviews,
  NewReview,
  putReview,
  removeReview,
  ReviewPage,
  ReviewRef,
} from './reviews.ts'

export const enrollmentsRouter = router({
  mine: authedProcedure
    .input(AnyPage)
    .query(({ ctx, input }) => listMyEnrollments(ctx, ctx.actor, input)),
  start: authedProcedure
    .input(CourseRef)
    .mutation(({ ctx, input }) => enrollForFree(ctx, ctx.actor, input)),
  list: ownerProcedure
    .input(RosterPage)
    .query(({ ctx, input }) => listRoster(ctx, ctx.actor, { ...input, course: ctx.course })),
  grant: ownerProcedure
    .input(AccessGrant)
    .mutation(({ ctx, input }) => grantAccess(ctx, ctx.actor, { ...input, course: ctx.course })),
  revoke: ownerProcedure
    .input(AccessRevocation)
    .mutation(({ ctx, input }) => revokeAccess(ctx, ctx.actor, { ...input, course: ctx.course })),
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
  reissue: authedProcedure
    .input(CourseRef)
    .mutation(({ ctx, input }) => reissueOwn(ctx, ctx.actor, input)),
  reissueFor: roleProcedure('ADMIN')
    .input(CertificateReissue)
    .mutation(({ ctx, input }) => reissueFor(ctx, ctx.actor, input)),
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
