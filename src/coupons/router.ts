import { adminProcedure } from '../trpc.ts'
import {
  CouponChanges,
  CouponsPage,
  createCoupon,
  createCouponBatch,
  listCoupons,
  NewCoupon,
  NewCouponBatch,
  updateCoupon,
} from './coupons.ts'

export const couponProcedures = {
  create: adminProcedure
    .input(NewCoupon)
    .mutation(({ ctx, input }) => createCoupon(ctx, ctx.actor, input)),
  createBatch: adminProcedure
    .input(NewCouponBatch)
    .mutation(({ ctx, input }) => createCouponBatch(ctx, ctx.actor, input)),
  update: adminProcedure
    .input(CouponChanges)
    .mutation(({ ctx, input }) => updateCoupon(ctx, ctx.actor, input)),
  list: adminProcedure.input(CouponsPage).query(({ ctx, input }) => listCoupons(ctx, input)),
}
