import { AnyPage } from '../fields.ts'
import { OrderRef } from '../orders/reads.ts'
import { adminProcedure, authedProcedure, router } from '../trpc.ts'
import { LateBilling, setInvoiceBilling } from './late-billing.ts'
import {
  CreditNotesPage,
  getInvoice,
  InvoicesPage,
  listCreditNotes,
  listInvoices,
  listMyCreditNotes,
  listMyInvoices,
} from './reads.ts'

export const invoicesRouter = router({
  mine: authedProcedure
    .input(AnyPage)
    .query(({ ctx, input }) => listMyInvoices(ctx, ctx.actor, input)),
  get: authedProcedure.input(OrderRef).query(({ ctx, input }) => getInvoice(ctx, ctx.actor, input)),
  setBilling: authedProcedure
    .input(LateBilling)
    .mutation(({ ctx, input }) => setInvoiceBilling(ctx, ctx.actor, input)),
  creditNotes: authedProcedure
    .input(CreditNotesPage)
    .query(({ ctx, input }) => listMyCreditNotes(ctx, ctx.actor, input)),
  list: adminProcedure.input(InvoicesPage).query(({ ctx, input }) => listInvoices(ctx, input)),
  listCreditNotes: adminProcedure
    .input(InvoicesPage)
    .query(({ ctx, input }) => listCreditNotes(ctx, input)),
})
