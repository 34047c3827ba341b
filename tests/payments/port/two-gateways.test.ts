// Two gateways at once: what each is asked, told and given back by, and what becomes of the orders of one
// that is configured no more.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  openGateways,
  type PaymentGateway,
  type PaymentGateways,
} from '../../../src/gateways/payments.ts'
import { openRazorpayGateway } from '../../../src/gateways/razorpay/gateway.ts'
import { jobs } from '../../../src/router.ts'
import { anAdmin, aStudent, type Person } from '../../support/builders/people.ts'
import {
  aCourseId,
  anOrder,
  pay as payAtRazorpay,
  type Opened,
} from '../../support/builders/orders.ts'
import {
  deliverWebhooks as settleRazorpay,
  grantCount,
  isIn,
  statusOf,
} from '../../support/order-checks.ts'
import { refused, visitorAt } from '../../support/client.ts'
import { runJob, startLms } from '../../support/harness.ts'
import { openMemoryBank, type MemoryBank } from '../../support/memory-gateway/bank.ts'
import {
  expectSoundBooks,
  settle as settleMemory,
  type MemoryLms,
} from '../../support/memory-gateway/lms.ts'

let lms: MemoryLms
let razorpay: PaymentGateway
let memory: PaymentGateway
/** Takes new orders; both are there all the time. */
let current: PaymentGateway

const both = (): PaymentGateways => ({
  ...openGateways(razorpay, memory),
  get forNewOrders() {
    return current
  },
})

beforeAll(async () => {
  const opened: MemoryBank[] = []
  const started = await startLms({
    gateways: (config, now) => {
      razorpay = openRazorpayGateway({ ...config.razorpay, now })
      const bank = openMemoryBank(now)
      memory = bank.openGateway()
      current = razorpay
      opened.push(bank)
      return both()
    },
  })
  const [bank = openMemoryBank(started.clock.now)] = opened
  bank.sender.setUrl(`${started.url}/webhooks/memory`)
  lms = { ...started, bank }
})
beforeEach(() => {
  lms.razorpay.webhooks.drop = 'none'
  lms.bank.sender.transport.drop = 'none'
})
afterEach(async () => {
  lms.razorpay.faults.clear()
  lms.bank.faults.clear()
  lms.clock.advance(11)
  lms.bank.sendReturns()
  await settle()
  await expectSoundBooks(lms)
})

async function settle(): Promise<void> {
  await settleRazorpay(lms)
  await settleMemory(lms)
}

async function sweep(seconds = 61): Promise<void> {
  lms.clock.advance(seconds)
  await lms.work()
  await settle()
}

function anOrderAt(gateway: PaymentGateway, cart: Parameters<typeof anOrder>[1] = {}) {
  current = gateway
  return anOrder(lms, cart)
}

function payAt(gateway: PaymentGateway, opened: Opened): string {
  return gateway === memory
    ? lms.bank.pay(opened.order_id).id
    : payAtRazorpay(lms, opened).razorpay_payment_id
}

function hearNothing(): void {
  lms.razorpay.webhooks.drop = 'all'
  lms.bank.sender.transport.drop = 'all'
}

/** An order paid at each, and nobody told us. */
async function twoUnheard(): Promise<[Opened, Opened]> {
  hearNothing()
  const opened: [Opened, Opened] = [await anOrderAt(razorpay), await anOrderAt(memory)]
  payAt(razorpay, opened[0])
  payAt(memory, opened[1])
  return opened
}

const statusesOf = (opened: readonly Opened[]) =>
  Promise.all(opened.map((one) => statusOf(lms, one)))

describe('orders of two gateways', () => {
  it('are made where new ones go at the time, and opened by that one’s dialog', async () => {
    const buyer = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    current = razorpay
    const first = await buyer.api.orders.create.mutate({ courseIds })
    current = memory
    const again = await buyer.api.orders.create.mutate({ courseIds })
    expect(again).toEqual(first)
    expect(first.checkout?.gateway).toBe('razorpay')
    const other = await buyer.api.orders.create.mutate({ courseIds: [await aCourseId(lms)] })
    expect(other.checkout?.gateway).toBe('memory')
  })

  it('are opened by the webhooks of each', async () => {
    const opened = [await anOrderAt(razorpay), await anOrderAt(memory)] as const
    payAt(razorpay, opened[0])
    payAt(memory, opened[1])
    await settle()
    expect(await statusesOf(opened)).toEqual(['FULFILLED', 'FULFILLED'])
  })

  it('are found by one sweep', async () => {
    const opened = await twoUnheard()
    await sweep()
    expect(await statusesOf(opened)).toEqual(['FULFILLED', 'FULFILLED'])
  })

  it('are found though the other one hangs', async () => {
    const opened = await twoUnheard()
    lms.bank.faults.add({ route: '*', kind: 'hang', times: 1_000 })
    await sweep()
    expect(await statusesOf(opened)).toEqual(['FULFILLED', 'CREATED'])
    lms.bank.faults.clear()
    await sweep()
    expect(await statusesOf(opened)).toEqual(['FULFILLED', 'FULFILLED'])
    const next = await twoUnheard()
    lms.razorpay.faults.add({ route: '*', kind: 'garbage', times: 1_000 })
    await sweep()
    expect(await statusesOf(next)).toEqual(['CREATED', 'FULFILLED'])
    lms.razorpay.faults.clear()
    await sweep()
  })

  it('are refunded each where it was paid, and lists are read of both', async () => {
    const opened = await twoUnheard()
    await sweep()
    const admin = await anAdmin(lms)
    const [one, two] = opened
    const sent = lms.bank.state.returns.size
    await admin.api.refunds.create.mutate({ orderId: one.order.id })
    expect(lms.bank.state.returns.size).toBe(sent)
    const refund = await admin.api.refunds.create.mutate({ orderId: two.order.id })
    const [mine] = [...lms.bank.state.returns.values()].slice(-1)
    expect(mine).toMatchObject({ chargeId: refund.paymentId, paise: 49_900 })
    lms.bank.sendReturns()
    await sweep(11 * 60)
    for (const { order, buyer, courseIds } of opened) {
      const { items } = await (await anAdmin(lms)).api.refunds.list.query({ orderId: order.id })
      expect(items).toMatchObject([{ status: 'PROCESSED' }])
      expect(await isIn(buyer, courseIds[0] ?? '')).toBe(false)
    }
  })

  it('for the same course, both paid, leave one: the other is given back where it was paid', async () => {
    const first = await anOrderAt(razorpay)
    lms.clock.advance(61 * 60)
    const { buyer, courseIds } = first
    await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
    const second = await anOrderAt(memory, { buyer, courseIds })
    payAt(razorpay, first)
    await settle()
    const late = payAt(memory, second)
    await settle()
    expect(await grantCount(lms, buyer, courseIds[0] ?? '')).toBe(1)
    const refunds = await lms.db.orm.refunds.where({ paymentId: late }).all()
    expect(refunds).toMatchObject([{ gateway: 'memory', cause: 'duplicate' }])
  })

  it('are not told of by the other one’s webhooks', async () => {
    const opened = await anOrderAt(memory)
    hearNothing()
    payAt(memory, opened)
    const { body = '' } = lms.bank.sender.deliveries.at(-1) ?? {}
    const headers = { ...lms.bank.sender.headersOf(body), 'content-type': 'application/json' }
    const answer = await fetch(`${lms.url}/webhooks/razorpay`, { method: 'POST', headers, body })
    expect(answer.status).toBe(400)
    await sweep()
  })

  it('show that the webhooks of one are silent, though those of the other come', async () => {
    const { api } = await anAdmin(lms)
    lms.clock.advance(60 * 60)
    lms.bank.sender.transport.drop = 'all'
    const opened = await anOrderAt(memory)
    payAt(memory, opened)
    await sweep()
    lms.clock.advance(31 * 60)
    payAt(razorpay, await anOrderAt(razorpay))
    await settle()
    await api.auth.me.query()
    expect((await (await anAdmin(lms)).api.admin.stats.query()).webhooks.isSilent).toBe(true)
  })
})

describe('a gateway that is configured no more', () => {
  type Instance = Awaited<ReturnType<MemoryLms['another']>>

  /** Another instance of the server, and on it nothing but Razorpay. */
  async function withoutMemory(): Promise<Instance> {
    const instance = await lms.another()
    Object.assign(instance.deps, { gateways: openGateways(razorpay) })
    return instance
  }

  async function workOf({ deps }: Instance): Promise<void> {
    for (const job of jobs) await runJob(job, deps)
  }

  const on = ({ url }: Instance, person: Person) => visitorAt(url, person).api

  it('leaves its orders waiting, shown to administrators, until it is back', async () => {
    const instance = await withoutMemory()
    hearNothing()
    const opened = await anOrderAt(memory)
    payAt(memory, opened)
    await refused(
      on(instance, opened.buyer).orders.verify.mutate({ orderId: opened.order.id }),
      'PAYMENT_GATEWAY_DOWN',
    )
    lms.clock.advance(2 * 3_600)
    await workOf(instance)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    const admin = await anAdmin(lms)
    const stuck = await on(instance, admin).orders.stuck.query()
    expect(stuck.items).toMatchObject([
      { id: opened.order.id, reason: 'its gateway, memory, is not configured' },
    ])
    const { redrive } = on(instance, admin).orders
    await refused(redrive.mutate({ orderId: opened.order.id }), 'PAYMENT_GATEWAY_DOWN')
    await sweep()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect((await admin.api.orders.stuck.query()).items).toEqual([])
  })

  it('keeps nobody from buying at another, and a late payment is still found', async () => {
    const instance = await withoutMemory()
    hearNothing()
    const opened = await anOrderAt(memory)
    current = razorpay
    const { courseIds, buyer } = opened
    const { checkout } = await on(instance, buyer).orders.create.mutate({ courseIds })
    expect(checkout?.gateway).toBe('razorpay')
    payAt(memory, opened)
    await sweep(61 * 60)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('leaves its refunds waiting, shown to administrators, until it is back', async () => {
    const opened = [await anOrderAt(memory), await anOrderAt(memory)] as const
    for (const one of opened) payAt(memory, one)
    await settle()
    const instance = await withoutMemory()
    const admin = await anAdmin(lms)
    const [pending, asked] = opened.map(({ order }) => ({ orderId: order.id }))
    if (!pending || !asked) throw new Error('two were opened')
    await refused(on(instance, admin).refunds.create.mutate(asked), 'PAYMENT_GATEWAY_DOWN')
    const { id } = await admin.api.refunds.create.mutate(pending)
    lms.clock.advance(60)
    await workOf(instance)
    const stuck = await on(instance, admin).orders.stuck.query()
    expect(stuck.refunds.map((refund) => [refund.id, refund.status])).toContainEqual([
      id,
      'PENDING',
    ])
    lms.bank.sendReturns()
    await sweep(16 * 60)
    const again = await anAdmin(lms)
    const { items } = await again.api.refunds.list.query(pending)
    expect(items).toMatchObject([{ status: 'PROCESSED', error: null }])
  })

  it('has what it told us kept, and worked on when it is back', async () => {
    hearNothing()
    const opened = await anOrderAt(memory)
    payAt(memory, opened)
    const { body = '', eventId = '' } = lms.bank.sender.deliveries.at(-1) ?? {}
    const at = lms.clock.now()
    await lms.db.orm.webhook_events.create({
      ...{ gateway: 'memory', eventId, event: 'charge.held', body, receivedAt: at },
      ...{ state: 'WAITING', attempts: 0, nextAt: at, processedAt: null, outcome: null },
      paymentId: null,
    })
    const instance = await withoutMemory()
    await workOf(instance)
    const event = await lms.db.orm.webhook_events.where({ eventId }).first()
    expect(event).toMatchObject({ state: 'WAITING', attempts: 1 })
    expect(event?.outcome).toMatch(/memory.*not configured/)
    lms.clock.advance(6)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})
