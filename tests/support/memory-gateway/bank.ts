// The company as a test holds it in its hand: the buyer, the bank, the dashboard, and whoever breaks things.
import type { PaymentGateway } from '../../../src/gateways/payments.ts'
import type { Ledger } from '../ledger.ts'
import { openApi, type Api } from './api.ts'
import { holdLate, lapseOld, pay, take, type Payment } from './charges.ts'
import { openFaults, type Fault, type Faults } from './faults.ts'
import { openMemoryGateway } from './gateway.ts'
import { writeLedger } from './ledger.ts'
import { openAccount, requireRow } from './model.ts'
import type { Account, Charge, Claim, Return, Settings } from './model.ts'
import { fileClaim, makeReturn, moveClaim, settleReturn } from './returns.ts'
import { openSender, type Sender, type Transport } from './sender.ts'

/** What may be otherwise for a while. */
export type Conditions = Partial<Settings & Transport> & { faults?: readonly Fault[] }

export type MemoryBank = {
  /** An adapter, as each instance of the server opens one. */
  openGateway: (options?: { timeoutMs?: number }) => PaymentGateway
  /** Sets these while `work` runs, and puts back what was there before. */
  with: <T>(conditions: Conditions, work: () => T | Promise<T>) => Promise<T>
  pay: (intentId: string, payment?: Payment) => Charge
  holdLate: (chargeId: string) => void
  take: (chargeId: string) => void
  /** Made in the dashboard: under no key of anybody's. */
  giveBack: (chargeId: string, paise?: number) => Return
  settleReturn: (returnId: string, state: 'sent' | 'bounced') => void
  /** The bank sends everything that is queued. */
  sendReturns: () => void
  /** For a part of the charge, where that is named. */
  fileClaim: (chargeId: string, paise?: number) => Claim
  moveClaim: (claimId: string, state: Exclude<Claim['state'], 'filed'>) => void
  /** What the company does by itself when its time has come. */
  tick: () => void
  settings: Settings
  faults: Faults
  api: Api
  sender: Sender
  ledger: () => Ledger
  /** All that the company remembers, live. */
  state: Account
}

export function openMemoryBank(now: () => Date): MemoryBank {
  const account = openAccount(now)
  const sender = openSender(account)
  const faults = openFaults()
  const api = openApi(account, faults)
  const { settings } = account
  return {
    openGateway: (options = {}) =>
      openMemoryGateway({ api, publicKeys: sender.publicKeys, now, ...options }),
    with: async ({ faults: struck = [], ...values }, work) => {
      const before = { settings: { ...settings }, transport: { ...sender.transport } }
      for (const [name, value] of Object.entries(values))
        Object.assign(name in settings ? settings : sender.transport, { [name]: value })
      for (const fault of struck) faults.add(fault)
      try {
        return await work()
      } finally {
        Object.assign(settings, before.settings)
        Object.assign(sender.transport, before.transport)
        if (struck.length > 0) faults.clear()
      }
    },
    pay: (intentId, payment) => pay(account, intentId, payment),
    holdLate: (chargeId) => {
      holdLate(account, chargeId)
    },
    take: (chargeId) => {
      take(account, chargeId)
    },
    giveBack: (chargeId, paise) => {
      const whole = requireRow(account.charges, chargeId).paise
      return makeReturn(account, { chargeId, paise: paise ?? whole, tag: null, key: null })
    },
    settleReturn: (id, state) => {
      settleReturn(account, id, state)
    },
    sendReturns: () => {
      for (const { id, state } of account.returns.values())
        if (state === 'queued') settleReturn(account, id, 'sent')
    },
    fileClaim: (chargeId, paise) => fileClaim(account, chargeId, paise),
    moveClaim: (id, state) => {
      moveClaim(account, id, state)
    },
    tick: () => {
      lapseOld(account)
    },
    settings,
    faults,
    api,
    sender,
    ledger: () => writeLedger(account),
    state: account,
  }
}
