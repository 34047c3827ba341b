import { AnyPage } from '../fields.ts'
import { authedProcedure, roleProcedure, router } from '../trpc.ts'
import {
  CouponChanges,
  CouponPreview,
  CouponsPage,
  createCoupon,
  createCouponBatch,
  listCoupons,
  NewCoupon,
  NewCouponBatch,
  previewCoupon,
  updateCoupon,
} from './coupons.ts'
import { NewOrder } from './cart.ts'
import { createOrder } from './checkout.ts'
import { earningsByInstructor, EarningsQuery, InstructorEarnings, myEarnings } from './earnings.ts'
import { findViolations, InvariantsQuery } from './invariants.ts'
import { getOrder, listMyOrders, listOrders, MyOrders, OrderRef, OrdersPage } from './reads.ts'
import { createRefund, listRefunds, RefundRequest, RefundsPage } from './refunds.ts'
import { OwnRefundRequest, requestRefund } from './self-refunds.ts'
import { readStats } from './stats.ts'
import { listStuck, redriveOrder } from './stuck.ts'
import { CheckoutAnswer, verifyPayment } from './verify.ts'

const adminProcedure = roleProcedure('ADMIN')

export const ordersRouter = router({
  create: authedProcedure
    .input(NewOrder)
    .mutation(({ ctx, input }) => createOrder(ctx, ctx.actor, input)),
  verify: authedProcedure
    .input(CheckoutAnswer)
    .mutation(({ ctx, input }) => verifyPayment(ctx, ctx.actor, input)),
  mine: authedProcedure
    .input(MyOrders)
    .query(({ ctx, input }) => listMyOrders(ctx, ctx.actor, input)),
  get: authedProcedure.input(OrderRef).query(({ ctx, input }) => getOrder(ctx, ctx.actor, input)),
  requestRefund: authedProcedure
    .input(OwnRefundRequest)
    .mutation(({ ctx, input }) => requestRefund(ctx, ctx.actor, input)),
  list: adminProcedure.input(OrdersPage).query(({ ctx, input }) => listOrders(ctx, input)),
  stuck: adminProcedure.input(AnyPage).query(({ ctx, input }) => listStuck(ctx, input)),
  redrive: adminProcedure
    .input(OrderRef)
    .mutation(({ ctx, input }) => redriveOrder(ctx, ctx.actor, input)),
})

export const refundsRouter = router({
  create: adminProcedure
    .input(RefundRequest)
    .mutation(({ ctx, input }) => createRefund(ctx, ctx.actor, input)),
  list: adminProcedure.input(RefundsPage).query(({ ctx, input }) => listRefunds(ctx, input)),
})

export const couponsRouter = router({
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
  preview: authedProcedure
    .input(CouponPreview)
    .query(({ ctx, input }) => previewCoupon(ctx, ctx.actor, input)),
})

export const earningsRouter = router({
  mine: roleProcedure('INSTRUCTOR', 'ADMIN')
    .input(EarningsQuery)
    .query(({ ctx, input }) => myEarnings(ctx, ctx.actor, input)),
  byInstructor: adminProcedure
    .input(InstructorEarnings)
    .query(({ ctx, input }) => earningsByInstructor(ctx, input)),
})

/** The administrators' view of the books; merged into `admin`. */
export const booksProcedures = {
  stats: adminProcedure.query(({ ctx }) => readStats(ctx)),
  invariants: adminProcedure
    .input(InvariantsQuery.default({ graceSeconds: 60 }))
    .query(({ ctx, input }) => findViolations(ctx, input)),
}
