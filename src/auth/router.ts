import {
  authedProcedure,
  doorProcedure,
  enrollingProcedure,
  publicProcedure,
  router,
} from '../trpc.ts'
import {
  cancelEmailChange,
  EmailChangeRequest,
  findEmailChange,
  requestEmailChange,
} from './email-change.ts'
import { confirmEmailChange, undoEmailChange } from './email-change-proof.ts'
import {
  changePassword,
  PasswordChange,
  PasswordReset,
  requestPasswordReset,
  resetPassword,
  ResetRequest,
} from './password-change.ts'
import { NewAccount, register } from './register.ts'
import {
  listSessions,
  revokeOtherSessions,
  revokeSession,
  SessionChoice,
  SessionPage,
} from './session-list.ts'
import { Credentials, login, logout } from './sign-in.ts'
import { confirmPassword, PasswordConfirmation } from './step-up.ts'
import {
  confirmTotp,
  disableTotp,
  RecoveryRenewal,
  renewRecoveryCodes,
  startTotp,
  TotpCode,
  TotpRemoval,
} from './totp.ts'
import { publicUser } from './user.ts'
import { EmailProof, resendVerification, verifyEmail } from './verification.ts'

const sessionsRouter = router({
  list: authedProcedure
    .input(SessionPage)
    .query(({ ctx, input }) => listSessions(ctx, ctx.actor, input)),
  revoke: authedProcedure
    .input(SessionChoice)
    .mutation(({ ctx, input }) => revokeSession(ctx, ctx.actor, input)),
  revokeOthers: authedProcedure.mutation(({ ctx }) => revokeOtherSessions(ctx, ctx.actor)),
})

const totpRouter = router({
  start: enrollingProcedure.mutation(({ ctx }) => startTotp(ctx, ctx.actor)),
  confirm: enrollingProcedure
    .input(TotpCode)
    .mutation(({ ctx, input }) => confirmTotp(ctx, ctx.actor, input)),
  renewRecoveryCodes: authedProcedure
    .input(RecoveryRenewal)
    .mutation(({ ctx, input }) => renewRecoveryCodes(ctx, ctx.actor, input)),
  disable: authedProcedure
    .input(TotpRemoval)
    .mutation(({ ctx, input }) => disableTotp(ctx, ctx.actor, input)),
})

export const authRouter = router({
  register: doorProcedure.input(NewAccount).mutation(({ ctx, input }) => register(ctx, input)),
  login: doorProcedure.input(Credentials).mutation(({ ctx, input }) => login(ctx, input)),
  logout: doorProcedure.mutation(({ ctx }) => logout(ctx, ctx.actor)),
  me: doorProcedure.query(
    ({ ctx }) =>
      ctx.actor && {
        user: publicUser(ctx.actor),
        ...(ctx.enrolling && { secondFactorNeeded: true as const }),
      },
  ),
  verifyEmail: doorProcedure
    .input(EmailProof)
    .mutation(({ ctx, input }) => verifyEmail(ctx, input)),
  resendVerification: authedProcedure.mutation(({ ctx }) => resendVerification(ctx, ctx.actor)),
  requestPasswordReset: publicProcedure
    .input(ResetRequest)
    .mutation(({ ctx, input }) => requestPasswordReset(ctx, input)),
  resetPassword: publicProcedure
    .input(PasswordReset)
    .mutation(({ ctx, input }) => resetPassword(ctx, input)),
  changePassword: authedProcedure
    .input(PasswordChange)
    .mutation(({ ctx, input }) => changePassword(ctx, ctx.actor, input)),
  confirmPassword: enrollingProcedure
    .input(PasswordConfirmation)
    .mutation(({ ctx, input }) => confirmPassword(ctx, ctx.actor, input)),
  emailChange: authedProcedure.query(({ ctx }) => findEmailChange(ctx, ctx.actor)),
  requestEmailChange: authedProcedure
    .input(EmailChangeRequest)
    .mutation(({ ctx, input }) => requestEmailChange(ctx, ctx.actor, input)),
  cancelEmailChange: authedProcedure.mutation(({ ctx }) => cancelEmailChange(ctx, ctx.actor)),
  confirmEmailChange: publicProcedure
    .input(EmailProof)
    .mutation(({ ctx, input }) => confirmEmailChange(ctx, input)),
  undoEmailChange: publicProcedure
    .input(EmailProof)
    .mutation(({ ctx, input }) => undoEmailChange(ctx, input)),
  sessions: sessionsRouter,
  totp: totpRouter,
})
