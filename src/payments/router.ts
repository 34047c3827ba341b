import { GatewayFailure } from '../gateways/gateway-failure.ts'
import { OrderRef } from '../orders/reads.ts'
import { NewOrder } from '../orders/cart.ts'
import { adminProcedure, authedProcedure, middleware, router } from '../trpc.ts'
import { createOrder } from './checkout/checkout.ts'
import { CheckoutAnswer, verifyPayment } from './checkout/verify.ts'
import { gatewayDown } from './gateway-down.ts'
import { redriveOrder } from './reconciliation/redrive.ts'
import { createRefund, listRefunds, RefundRequest, RefundsPage } from './refunds/refunds.ts'
import { OwnRefundRequest, requestRefund } from './refunds/self-refunds.ts'
import { acceptReview, returnReview, ReviewDecision } from './settlement/review.ts'

// Whichever call meets a gateway that fails, or that an order names and that is configured no more.
const tellFailures = middleware(async ({ ctx, next }) => {
  const result = await next()
  if (result.ok || !(result.error.cause instanceof GatewayFailure)) return result
  throw gatewayDown(ctx, result.error.cause)
})
const paymentProcedure = authedProcedure.use(tellFailures)
const adminPaymentProcedure = adminProcedure.use(tellFailures)

/** What moves an order's money; merged into `orders`. */
export const paymentProcedures = {
  create: paymentProcedure
    .input(NewOrder)
    .mutation(({ ctx, input }) => createOrder(ctx, ctx.actor, input)),
  verify: paymentProcedure
    .input(CheckoutAnswer)
    .mutation(({ ctx, input }) => verifyPayment(ctx, ctx.actor, input)),
  requestRefund: paymentProcedure
    .input(OwnRefundRequest)
    .mutation(({ ctx, input }) => requestRefund(ctx, ctx.actor, input)),
  redrive: adminPaymentProcedure
    .input(OrderRef)
    .mutation(({ ctx, input }) => redriveOrder(ctx, ctx.actor, input)),
  acceptReview: adminPaymentProcedure
    .input(ReviewDecision)
    .mutation(({ ctx, input }) => acceptReview(ctx, ctx.actor, input)),
  returnReview: adminPaymentProcedure
    .input(ReviewDecision)
    .mutation(({ ctx, input }) => returnReview(ctx, ctx.actor, input)),
}

export const refundsRouter = router({
  create: adminPaymentProcedure
    .input(RefundRequest)
    .mutation(({ ctx, input }) => createRefund(ctx, ctx.actor, input)),
  list: adminProcedure.input(RefundsPage).query(({ ctx, input }) => listRefunds(ctx, input)),
})
