import { OrderRef } from '../orders/reads.ts'
import { NewOrder } from '../orders/cart.ts'
import { adminProcedure, authedProcedure, router } from '../trpc.ts'
import { createOrder } from './checkout/checkout.ts'
import { CheckoutAnswer, verifyPayment } from './checkout/verify.ts'
import { redriveOrder } from './reconciliation/redrive.ts'
import { createRefund, listRefunds, RefundRequest, RefundsPage } from './refunds/refunds.ts'
import { OwnRefundRequest, requestRefund } from './refunds/self-refunds.ts'

/** What moves an order's money; merged into `orders`. */
export const paymentProcedures = {
  create: authedProcedure
    .input(NewOrder)
    .mutation(({ ctx, input }) => createOrder(ctx, ctx.actor, input)),
  verify: authedProcedure
    .input(CheckoutAnswer)
    .mutation(({ ctx, input }) => verifyPayment(ctx, ctx.actor, input)),
  requestRefund: authedProcedure
    .input(OwnRefundRequest)
    .mutation(({ ctx, input }) => requestRefund(ctx, ctx.actor, input)),
  redrive: adminProcedure
    .input(OrderRef)
    .mutation(({ ctx, input }) => redriveOrder(ctx, ctx.actor, input)),
}

export const refundsRouter = router({
  create: adminProcedure
    .input(RefundRequest)
    .mutation(({ ctx, input }) => createRefund(ctx, ctx.actor, input)),
  list: adminProcedure.input(RefundsPage).query(({ ctx, input }) => listRefunds(ctx, input)),
})
