import { authorProcedure } from '../courses/owner-procedure.ts'
import { authedProcedure, router } from '../trpc.ts'
import { confirmUpload } from './confirm-upload.ts'
import { DirectUpload, signDirectUpload } from './direct-upload.ts'
import { listMedia, MediaPage } from './library.ts'
import { MediaRef } from './own-media.ts'
import { removeMedia } from './removal.ts'

export const mediaRouter = router({
  list: authedProcedure
    .input(MediaPage)
    .query(({ ctx, input }) => listMedia(ctx, ctx.actor, input)),
  signUpload: authorProcedure
    .input(DirectUpload)
    .mutation(({ ctx, input }) => signDirectUpload(ctx, ctx.actor, input)),
  confirm: authorProcedure
    .input(MediaRef)
    .mutation(({ ctx, input }) => confirmUpload(ctx, ctx.actor, input)),
  remove: authedProcedure
    .input(MediaRef)
    .mutation(({ ctx, input }) => removeMedia(ctx, ctx.actor, input)),
})
