// What may happen, as plain data that can be printed, shrunk and played again. Numbers choose among what
// there is at that moment, so that a step means something in any list of steps.
import fc from 'fast-check'
import { paymentJobs } from '../../../src/payments/jobs.ts'
import { CALLS } from './bank.ts'

const OUTCOMES = ['success', 'fail', 'close', 'late', 'authorized', 'double'] as const
const KINDS = ['hang', 'throttle', 'error', 'reset', 'garbage', 'odd', 'odd'] as const
const JUMPS = [2, 11, 65, 310, 3_700, 30_000, 100_000, 700_000, -600] as const
const REFUND_MODES = ['processed', 'pending', 'failed'] as const
const MOVES = ['under_review', 'action_required', 'won', 'lost', 'closed'] as const

const any = fc.nat({ max: 997 })
const side = fc.constantFrom<0 | 1>(0, 1)
const rarely = fc.integer({ min: 0, max: 7 }).map((n) => n === 0)
const often = fc.integer({ min: 0, max: 3 }).map((n) => n > 0)
/** Null, but for one time in so many. */
const rather = <T>(value: fc.Arbitrary<T>, oneIn: number) =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value })
const oneOf = <const T extends readonly [string, ...string[]] | readonly [number, ...number[]]>(
  values: T,
) => fc.constantFrom<T[number][]>(...values)

const step = <const Name extends string, T extends object>(
  name: Name,
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
) =>
  fc.record(
    { do: fc.constant(name), ...fields },
    { noNullPrototype: true },
  ) as unknown as fc.Arbitrary<{ do: Name } & T>

const order = step('order', {
  buyer: any,
  cart: fc.array(any, { minLength: 1, maxLength: 3 }),
  coupon: rather(any, 2),
  on: side,
  twice: rarely,
})
const pay = step('pay', {
  order: any,
  outcome: oneOf(OUTCOMES),
  amount: rather(fc.constantFrom(-1, 1, 5_000), 12),
  currency: rather(fc.constant('USD'), 20),
  force: rarely,
})
const success = step('pay', {
  order: any,
  outcome: fc.constant('success' as const),
  amount: fc.constant(null),
  currency: fc.constant(null),
  force: fc.constant(false),
})
const verify = step('verify', {
  checkout: any,
  on: side,
  as: fc.constantFrom('buyer', 'buyer', 'buyer', 'other', 'forger'),
})
const deliver = step('deliver', {
  event: any,
  on: side,
  copies: fc.constantFrom(1, 1, 1, 2, 3),
  isForged: rarely,
})
const drop = step('drop', { event: any })
const work = step('work', {
  job: fc.option(fc.constantFrom(...paymentJobs.map(({ name }) => name))),
  on: side,
  both: rarely,
})
const clock = step('clock', { seconds: oneOf(JUMPS) })
const gatewayFault = step('fault', {
  call: oneOf(CALLS),
  kind: oneOf(KINDS),
  commit: fc.boolean(),
  times: fc.constantFrom(1, 1, 2, 4, 8),
})
const gatewayWell = step('mend', {})
const late = step('late', { payment: any })
const capture = step('capture', { payment: any })
const dashboardRefund = step('dashboard', { payment: any, part: fc.constantFrom(0, 0, 100, 5_000) })
const refund = step('refund', {
  order: any,
  what: fc.constantFrom('whole', 'line', 'amount'),
  pick: any,
  on: side,
})
const ownRefund = step('askBack', { order: any, line: any, on: side })
const refundMode = step('refundMode', { mode: oneOf(REFUND_MODES) })
const settleRefund = step('settleRefund', { refund: any, isMade: often })
const balance = step('balance', { paise: fc.option(fc.constantFrom(0, 3_000)) })
const dispute = step('dispute', { payment: any, part: fc.constantFrom(0, 0, 1, 100, 5_000) })
const moveDispute = step('moveDispute', { dispute: any, move: oneOf(MOVES) })
const outage = step('outage', { on: side, kind: fc.constantFrom('refuse', 'blink', 'heal') })
const crash = step('crash', {
  on: side,
  writes: fc.integer({ min: 1, max: 12 }),
  isMade: fc.boolean(),
  isLast: often,
})
const redrive = step('redrive', { order: any, on: side })
const settings = step('settings', { autoCapture: often, listLag: rarely })
const reprice = step('reprice', { course: any, pricePaise: fc.constantFrom(100, 7_700, 60_000) })
const letIn = step('letIn', { buyer: any, course: any, isOut: fc.boolean() })
const putOut = step('putOut', { buyer: any, course: any })

const switchCoupon = step('switchCoupon', { coupon: any, isOn: fc.boolean() })
const shelve = step('shelve', { course: any, isOff: fc.boolean() })
const payLate = step('payLate', {
  buyer: any,
  course: any,
  coupon: rather(any, 2),
  // In time, within the grace, after it, much later.
  wait: oneOf([600, 1_500, 2_400, 6_000, 100_000]),
  isSwept: often,
  turn: oneOf(['nothing', 'off', 'dearer', 'cheaper', 'shelved']),
  outcome: oneOf(['success', 'authorized']),
  isHeard: often,
  on: side,
})

const single = fc.oneof(
  { weight: 16, arbitrary: order },
  { weight: 9, arbitrary: pay },
  { weight: 14, arbitrary: success },
  { weight: 10, arbitrary: verify },
  { weight: 26, arbitrary: deliver },
  { weight: 6, arbitrary: drop },
  { weight: 14, arbitrary: work },
  { weight: 10, arbitrary: clock },
  { weight: 6, arbitrary: gatewayFault },
  { weight: 3, arbitrary: gatewayWell },
  { weight: 3, arbitrary: late },
  { weight: 2, arbitrary: capture },
  { weight: 4, arbitrary: dashboardRefund },
  { weight: 7, arbitrary: refund },
  { weight: 7, arbitrary: ownRefund },
  { weight: 4, arbitrary: refundMode },
  { weight: 5, arbitrary: settleRefund },
  { weight: 2, arbitrary: balance },
  { weight: 3, arbitrary: dispute },
  { weight: 5, arbitrary: moveDispute },
  { weight: 2, arbitrary: outage },
  { weight: 6, arbitrary: crash },
  { weight: 2, arbitrary: redrive },
  { weight: 2, arbitrary: settings },
  { weight: 2, arbitrary: reprice },
  { weight: 2, arbitrary: letIn },
  { weight: 2, arbitrary: switchCoupon },
  { weight: 1, arbitrary: shelve },
  { weight: 5, arbitrary: payLate },
  { weight: 2, arbitrary: putOut },
)

const atOnce = step('atOnce', { steps: fc.array(single, { minLength: 2, maxLength: 5 }) })

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never
export type Single = Of<typeof single>
export type Step = Single | Of<typeof atOnce>

/** The step of that name. */
export type StepOf<Name extends Step['do']> = Extract<Step, { do: Name }>

/** Up to so many steps, any length as likely as any other. */
export const stepsOf = (most: number): fc.Arbitrary<Step[]> =>
  fc.noBias(
    fc.array<Step>(fc.oneof({ weight: 9, arbitrary: single }, { weight: 1, arbitrary: atOnce }), {
      minLength: 1,
      maxLength: most,
      size: 'max',
    }),
  )
