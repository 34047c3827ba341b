import { createHmac } from 'node:crypto'
import { openGateways } from '../../../../src/gateways/payments.ts'
import { openRazorpayGateway } from '../../../../src/gateways/razorpay/gateway.ts'
import type { LedgerPayment as TheirPayment } from '../../../../sandbox/razorpay/model/ledger.ts'
import { Refusal } from '../../../../sandbox/razorpay/model/refusal.ts'
import { startRazorpay, type RazorpaySandbox } from '../../../../sandbox/razorpay/server.ts'
import { KEY_ID, SECRETS } from '../../../support/harness.ts'
import type { Ledger, LedgerPayment } from '../../../support/ledger.ts'
import type { Bank, CallName, Delivery, OpenBank, Payment } from '../bank.ts'

// Hangs are common here, and nobody is waiting.
const TIMEOUT_MS = 60

const ROUTES: Record<CallName, string> = {
  '*': '*',
  createOrder: 'POST /orders',
  findOrder: 'GET /orders',
  paymentsOfOrder: 'GET /orders/:id/payments',
  fetchPayment: 'GET /payments/:id',
  fetchRefund: 'GET /refunds/:id',
  fetchDispute: 'GET /disputes/:id',
  capturePayment: 'POST /payments/:id/capture',
  refundPayment: 'POST /payments/:id/refund',
  refundsOfPayment: 'GET /payments/:id/refunds',
}

/** The local Razorpay; its webhooks are carried by the steps, not by itself. */
export const openRazorpayBank: OpenBank = async (now) => {
  const razorpay = await startRazorpay({
    keyId: KEY_ID,
    keySecret: SECRETS.razorpayKey,
    webhookSecret: SECRETS.webhook,
    webhookUrl: 'http://127.0.0.1:9/nobody-listens-here',
    now,
  })
  razorpay.webhooks.hold = true
  return bankOf(razorpay)
}

function bankOf(razorpay: RazorpaySandbox): Bank {
  const { settings, faults } = razorpay
  return {
    environment: {
      RAZORPAY_API_URL: razorpay.url,
      RAZORPAY_CHECKOUT_URL: `${razorpay.url}/checkout.js`,
    },
    // Retries come at once: `random` is what their pause grows by.
    openGateways: (config, now) => {
      const wire = { ...config.razorpay, now, timeoutMs: TIMEOUT_MS, random: () => -0.98 }
      return openGateways(openRazorpayGateway(wire))
    },
    pay: (orderId, payment) => pay(razorpay, orderId, payment),
    forged: ({ razorpay_signature = '', ...proof }) => ({
      ...proof,
      razorpay_signature: razorpay_signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    }),
    authorizeLate: (id) => ifItLets(() => razorpay.authorizeLate(id)),
    capture: (id) => ifItLets(() => razorpay.capture(id)),
    giveBack: (id, paise) => ifItLets(() => razorpay.refund(id, paise)),
    settleRefund: (id, status) => ifItLets(() => razorpay.settleRefund(id, status)),
    openDispute: (paymentId, amount) => ifItLets(() => razorpay.openDispute({ paymentId, amount })),
    moveDispute: (id, move) => ifItLets(() => razorpay.moveDispute(id, move)),
    setRefunds: (mode) => {
      settings.refunds = mode
    },
    setBalance: (paise) => {
      settings.balancePaise = paise
    },
    setHabits: (habits) => {
      Object.assign(settings, habits)
    },
    addFault: ({ call, ...fault }) => {
      faults.add({ route: ROUTES[call], ...fault })
    },
    clearFaults: () => {
      faults.clear()
    },
    deliveries: () => razorpay.deliveries().map(deliveryOf),
    tick: () => razorpay.tick(),
    ledger: () => ledgerOf(razorpay),
    close: () => razorpay.close(),
  }
}

function pay(razorpay: RazorpaySandbox, orderId: string, payment: Payment) {
  const { amountPaise: amount, ...rest } = payment
  return ifItLets(() => razorpay.pay(orderId, { ...rest, amount }))?.checkout ?? null
}

function ifItLets<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

type Sent = { eventId: string; body: string; signature: string }

function deliveryOf({ eventId, body, signature }: Sent): Delivery {
  const forged = () => createHmac('sha256', 'not the secret').update(body).digest('hex')
  return {
    eventId,
    path: '/webhooks/razorpay',
    body,
    headers: ({ isForged } = { isForged: false }) => ({
      'content-type': 'application/json',
      'x-razorpay-signature': isForged ? forged() : signature,
      'x-razorpay-event-id': eventId,
    }),
  }
}

function ledgerOf(razorpay: RazorpaySandbox): Ledger {
  const { orders, captured, refunded } = razorpay.ledger()
  return {
    orders: orders.map(({ id, receipt: reference, amount: amountPaise, payments }) => ({
      id,
      reference,
      amountPaise,
      payments: payments.map(lineOf),
    })),
    capturedPaise: captured,
    refundedPaise: refunded,
  }
}

function lineOf({ amount, refunded, ...line }: TheirPayment): LedgerPayment {
  return {
    ...line,
    amountPaise: amount,
    refundedPaise: refunded,
    disputes: line.disputes.map(({ id, status, amountDeducted: lostPaise }) => {
      return { id, status, lostPaise }
    }),
    refunds: line.refunds.map(({ id, amount: amountPaise, status }) => {
      return { id, amountPaise, status }
    }),
  }
}
