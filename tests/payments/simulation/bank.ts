// What the simulation needs of a gateway and of the bank behind it: any that can be held in the hand like
// this can be simulated, whatever its own words are.
import type { Config } from '../../../src/config.ts'
import type { PaymentGateways } from '../../../src/gateways/payments.ts'
import type { Ledger } from '../../support/ledger.ts'

export type Outcome = 'success' | 'fail' | 'close' | 'late' | 'authorized' | 'double'
export type FaultKind = 'hang' | 'throttle' | 'error' | 'reset' | 'garbage' | 'odd'
export type DisputeMove = 'under_review' | 'action_required' | 'won' | 'lost' | 'closed'

/** The calls of the port that faults strike; `*` is every one. */
export const CALLS = [
  '*',
  'createOrder',
  'findOrder',
  'paymentsOfOrder',
  'fetchPayment',
  'fetchRefund',
  'fetchDispute',
  'capturePayment',
  'refundPayment',
  'refundsOfPayment',
] as const
export type CallName = (typeof CALLS)[number]

export type Payment = {
  outcome: Outcome
  amountPaise?: number
  currency?: string
  /** Although the order is paid. */
  force: boolean
}

/** The fields that a browser brings back. */
export type Proof = Record<string, string>

/** One event on its way; its headers are made when it is sent. */
export type Delivery = {
  eventId: string
  path: string
  body: string
  headers: (how?: { isForged: boolean }) => Record<string, string>
}

/** What the bank itself would not let happen does not happen: such a call does nothing. */
export type Bank = {
  /** What a server is told of it, besides what every one is told. */
  environment: Record<string, string>
  openGateways: (config: Config, now: () => Date) => PaymentGateways
  /** Null where the browser is told of no success. */
  pay: (orderId: string, payment: Payment) => Proof | null
  /** The same, made up; null where a browser proves nothing. */
  forged: (proof: Proof) => Proof | null
  authorizeLate: (paymentId: string) => void
  capture: (paymentId: string) => void
  /** In the dashboard; of all of it where no amount is named. */
  giveBack: (paymentId: string, paise?: number) => void
  settleRefund: (refundId: string, status: 'processed' | 'failed') => void
  /** Of all of it where no amount is named. */
  openDispute: (paymentId: string, paise?: number) => void
  moveDispute: (disputeId: string, move: DisputeMove) => void
  /** What becomes of refunds from now on. */
  setRefunds: (mode: 'processed' | 'pending' | 'failed') => void
  setBalance: (paise: number | null) => void
  setHabits: (habits: { autoCapture: boolean; listLagMs: number }) => void
  addFault: (fault: { call: CallName; kind: FaultKind; commit: boolean; times: number }) => void
  clearFaults: () => void
  /** Every event since the start, oldest first; none is sent by itself. */
  deliveries: () => readonly Delivery[]
  /** What it does by itself when its time has come. */
  tick: () => Promise<void>
  ledger: () => Ledger
  close: () => Promise<void>
}

export type OpenBank = (now: () => Date) => Promise<Bank>
