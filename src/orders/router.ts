import { adminProcedure, authedProcedure } from '../trpc.ts'
import { getOrder, listMyOrders, listOrders, MyOrders, OrderRef, OrdersPage } from './reads.ts'
import { CouponPreview, previewCoupon } from './preview.ts'

/** Orders as they are read; what pays for them is the payments room's. Merged into `orders`. */
export const orderProcedures = {
  mine: authedProcedure
    .input(MyOrders)
    .query(({ ctx, input }) => listMyOrders(ctx, ctx.actor, input)),
  get: authedProcedure.input(OrderRef).query(({ ctx, input }) => getOrder(ctx, ctx.actor, input)),
  list: adminProcedure.input(OrdersPage).query(({ ctx, input }) => listOrders(ctx, input)),
}

/** What a cart would cost with a coupon; merged into `coupons`. */
export const previewProcedures = {
  preview: authedProcedure
    .input(CouponPreview)
    .query(({ ctx, input }) => previewCoupon(ctx, ctx.actor, input)),
}
