import { generateKeyPairSync } from 'node:crypto'
import { openGateways } from '../../../../src/gateways/payments.ts'
import { openMemoryBank } from '../../../support/memory-gateway/bank.ts'
import { Denial } from '../../../support/memory-gateway/model.ts'
import type { Route } from '../../../support/memory-gateway/api.ts'
import type { Bank, CallName, OpenBank } from '../bank.ts'

const TIMEOUT_MS = 60

const ROUTES: Record<CallName, Route | '*'> = {
  '*': '*',
  createOrder: 'make intent',
  findOrder: 'find intents',
  paymentsOfOrder: 'charges of intent',
  fetchPayment: 'show charge',
  fetchRefund: 'show return',
  fetchDispute: 'show claim',
  capturePayment: 'take charge',
  refundPayment: 'make return',
  refundsOfPayment: 'returns of charge',
}
const KINDS = {
  hang: 'hang',
  throttle: 'busy',
  error: 'broken',
  reset: 'cut',
  garbage: 'nonsense',
  odd: 'odd',
} as const
const RETURNS = { processed: 'sent', pending: 'queued', failed: 'bounced' } as const
const CLAIMS = {
  under_review: 'examined',
  won: 'rejected',
  lost: 'upheld',
  closed: 'dropped',
} as const

/** The gateway that is nothing like Razorpay; its webhooks are carried by the steps. */
export const openMemoryBankOf: OpenBank = (now) => Promise.resolve(bankOf(now))

function bankOf(now: () => Date): Bank {
  const bank = openMemoryBank(now)
  const { sender, settings, faults } = bank
  sender.transport.hold = true
  const stranger = generateKeyPairSync('ed25519').privateKey
  return {
    environment: {},
    openGateways: () => openGateways(bank.openGateway({ timeoutMs: TIMEOUT_MS })),
    pay: (orderId, { outcome, amountPaise, currency, force }) => {
      if (outcome === 'close') return null
      const isDeclined = outcome === 'fail' || outcome === 'late'
      const charge = ifItLets(() =>
        bank.pay(orderId, {
          outcome: isDeclined ? 'declined' : outcome === 'double' ? 'double' : 'held',
          ...(amountPaise !== undefined && { paise: amountPaise }),
          ...(currency !== undefined && { unit: currency.toLowerCase() }),
          force,
        }),
      )
      return charge && !isDeclined ? {} : null
    },
    forged: () => null,
    authorizeLate: (id) =>
      ifItLets(() => {
        bank.holdLate(id)
      }),
    capture: (id) =>
      ifItLets(() => {
        bank.take(id)
      }),
    giveBack: (id, paise) => ifItLets(() => bank.giveBack(id, paise)),
    settleRefund: (id, status) =>
      ifItLets(() => {
        bank.settleReturn(id, status === 'processed' ? 'sent' : 'bounced')
      }),
    openDispute: (id, paise) => ifItLets(() => bank.fileClaim(id, paise)),
    moveDispute: (id, move) =>
      ifItLets(() => {
        // It never asks for more papers.
        if (move !== 'action_required') bank.moveClaim(id, CLAIMS[move])
      }),
    setRefunds: (mode) => {
      settings.returns = RETURNS[mode]
    },
    setBalance: (paise) => {
      settings.purse = paise
    },
    // Whatever its habits, money has to be asked for.
    setHabits: ({ listLagMs }) => {
      settings.listLagMs = listLagMs
    },
    addFault: ({ call, kind, commit, times }) => {
      faults.add({ route: ROUTES[call], kind: KINDS[kind], isDone: commit, times })
    },
    clearFaults: () => {
      faults.clear()
    },
    deliveries: () =>
      sender.deliveries.map(({ eventId, body }) => ({
        eventId,
        path: '/webhooks/memory',
        body,
        headers: ({ isForged } = { isForged: false }) =>
          sender.headersOf(body, isForged ? { key: stranger } : {}),
      })),
    tick: () => {
      bank.tick()
      return Promise.resolve()
    },
    ledger: () => bank.ledger(),
    close: () => Promise.resolve(),
  }
}

function ifItLets<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Denial) return null
    throw error
  }
}
