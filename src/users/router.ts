import type { Uses } from '../deps.ts'
import type { PersonalData } from '../personal-data.ts'
import { adminProcedure, authedProcedure, router } from '../trpc.ts'
import { AuditSearch, listAudit } from './audit-log.ts'
import { changeEmailOf, ManagedEmailChange, renameUser, Renaming } from './correct.ts'
import { AccountDeletion, deleteAccount } from './deletion.ts'
import { exportAccount } from './export.ts'
import {
  disableUser,
  enableUser,
  getUser,
  listUsers,
  type ManagedUser,
  RoleChange,
  setRole,
  UserChoice,
  UserSearch,
} from './manage.ts'
import { getAccount, ProfileChange, updateAccount, type BillingGiven } from './profile.ts'
import { resetSecondFactor } from './second-factor.ts'

/**
 * What each room registered of a person is exported, and erased when they leave; `billed` is told of a billing
 * profile that somebody gave.
 */
export const accountRouter = <const Rooms extends readonly PersonalData[]>(
  rooms: Rooms,
  billed: BillingGiven,
) =>
  router({
    get: authedProcedure.query(({ ctx }) => getAccount(ctx, ctx.actor)),
    update: authedProcedure
      .input(ProfileChange)
      .mutation(({ ctx, input }) => updateAccount(ctx, ctx.actor, input, billed)),
    export: authedProcedure.query(({ ctx }) => exportAccount(ctx, ctx.actor, rooms)),
    delete: authedProcedure
      .input(AccountDeletion)
      .mutation(({ ctx, input }) => deleteAccount(ctx, ctx.actor, input, rooms)),
  })

/** What follows for what a user has made, once what they may do was changed; done again, it does no more. */
type WhenChanged = (deps: Uses<'db' | 'now'>, userId: string) => Promise<void>

export const usersRouter = (whenChanged: WhenChanged) => {
  const thenAlign = async (deps: Uses<'db' | 'now'>, change: Promise<ManagedUser>) => {
    const user = await change
    await whenChanged(deps, user.id)
    return user
  }
  return router({
    list: adminProcedure.input(UserSearch).query(({ ctx, input }) => listUsers(ctx, input)),
    get: adminProcedure.input(UserChoice).query(({ ctx, input }) => getUser(ctx, input)),
    setRole: adminProcedure
      .input(RoleChange)
      .mutation(({ ctx, input }) => thenAlign(ctx, setRole(ctx, ctx.actor, input))),
    disable: adminProcedure
      .input(UserChoice)
      .mutation(({ ctx, input }) => thenAlign(ctx, disableUser(ctx, ctx.actor, input))),
    enable: adminProcedure
      .input(UserChoice)
      .mutation(({ ctx, input }) => thenAlign(ctx, enableUser(ctx, ctx.actor, input))),
    rename: adminProcedure
      .input(Renaming)
      .mutation(({ ctx, input }) => renameUser(ctx, ctx.actor, input)),
    changeEmail: adminProcedure
      .input(ManagedEmailChange)
      .mutation(({ ctx, input }) => changeEmailOf(ctx, ctx.actor, input)),
    resetSecondFactor: adminProcedure
      .input(UserChoice)
      .mutation(({ ctx, input }) => resetSecondFactor(ctx, ctx.actor, input)),
  })
}

/** This room's part of `admin.*`, which the app's router puts together. */
export const auditProcedures = {
  audit: adminProcedure.input(AuditSearch).query(({ ctx, input }) => listAudit(ctx, input)),
}
