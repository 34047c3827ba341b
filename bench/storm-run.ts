import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import { applyContract } from '../prisma/apply.ts'
import { startRazorpay, type RazorpaySandbox } from '../sandbox/razorpay/server.ts'
import { startSmtp } from '../sandbox/smtp/server.ts'
import { findViolations } from '../src/books/invariants/invariants.ts'
import type { Violation } from '../src/books/invariants/violation.ts'
import { openDb, type Db } from '../src/db.ts'
import { SETTINGS, startServer, stopServer, type Server } from './processes.ts'

const CONNECTIONS = 64
const PATIENCE_MS = 180_000
const REPEATED = 0.3
const PRICE = 49_900
const SECRETS = { key: 'key-secret-of-the-storm', webhook: 'webhook-secret-of-the-storm' }

export type Storm = {
  sent: number
  orders: number
  /** How long each event waited for its answer. */
  milliseconds: number[]
  acknowledgedMs: number
  fulfilledMs: number
  /** Each of these should be empty. */
  refused: number[]
  unfulfilled: string[]
  violations: Violation[]
}

type Event = { body: string; signature: string; eventId: string }

/** Sends `count` events of paid orders at once, three in ten of them a second time, and waits for the orders. */
export async function runStorm(databaseUrl: string, count: number): Promise<Storm> {
  await applyContract(databaseUrl)
  const razorpay = await startRazorpay({
    keyId: SETTINGS.RAZORPAY_KEY_ID,
    keySecret: SECRETS.key,
    webhookSecret: SECRETS.webhook,
    webhookUrl: 'http://127.0.0.1:9/webhooks-are-sent-by-the-storm',
  })
  const smtp = await startSmtp({})
  const db = await openDb(databaseUrl)
  const env = {
    ...SETTINGS,
    DATABASE_URL: databaseUrl,
    RAZORPAY_KEY_SECRET: SECRETS.key,
    RAZORPAY_WEBHOOK_SECRETS: SECRETS.webhook,
    RAZORPAY_API_URL: razorpay.url,
    SMTP_URL: smtp.url,
  }
  const servers: Server[] = []
  try {
    servers.push(await startServer('src/main.ts', env), await startServer('src/main.ts', env))
    const events = await eventsOf(db, razorpay, count)
    return await blow(db, servers, events)
  } finally {
    await Promise.all(servers.map(stopServer))
    await Promise.all([db.close(), razorpay.close(), smtp.close()])
  }
}

async function blow(db: Db, servers: Server[], events: Event[]): Promise<Storm> {
  const start = performance.now()
  const answers = await sendAll(servers, events)
  const acknowledgedMs = performance.now() - start
  const unfulfilled = await waitForOrders(db)
  const fulfilledMs = performance.now() - start
  const orders = await db.orm.orders.where({}).select('_id').all()
  return {
    sent: events.length,
    orders: orders.length,
    milliseconds: answers.map(({ milliseconds }) => milliseconds),
    acknowledgedMs,
    fulfilledMs,
    refused: answers.map(({ status }) => status).filter((status) => status !== 200),
    unfulfilled,
    violations: await findViolations({ db, now: () => new Date() }, { graceSeconds: 0 }),
  }
}

/** Orders that are paid at Razorpay, and the signed events of that: three for each, in no order at all. */
async function eventsOf(db: Db, razorpay: RazorpaySandbox, count: number): Promise<Event[]> {
  razorpay.webhooks.hold = true
  const buyers = await buyersOf(db, Math.floor((count * (1 - REPEATED)) / 3))
  const courseId = new ObjectId().toHexString()
  for (const userId of buyers) razorpay.pay(await openOrder(db, razorpay, { userId, courseId }))
  const once = razorpay.deliveries()
  const events = [...once, ...once.slice(0, count - once.length)]
  return events
    .map((event) => ({ event, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ event: { body, signature, eventId } }) => ({ body, signature, eventId }))
}

async function buyersOf({ driver }: Db, count: number): Promise<string[]> {
  const at = new Date()
  const { insertedIds } = await driver.collection('users').insertMany(
    Array.from({ length: count }, (_, n) => ({
      email: `buyer-${n}@storm.test`,
      name: `Buyer ${n}`,
      passwordHash: 'none',
      role: 'STUDENT',
      createdAt: at,
      updatedAt: at,
    })),
  )
  return Object.values(insertedIds).map((id) => id.toHexString())
}

const TERMS = { refundDays: 7, refundMaxPercent: 30, lessonCount: 1, gstPercent: 18, sac: null }

type Line = { userId: string; courseId: string }

/** An order as orders.create leaves it; answers Razorpay's id of it. */
async function openOrder(
  db: Db,
  razorpay: RazorpaySandbox,
  { userId, courseId }: Line,
): Promise<string> {
  const at = new Date()
  const line = { no: 1, courseId, title: 'A course', listPaise: PRICE, discountPaise: 0 }
  const order = await db.orm.orders.create({
    userId,
    status: 'CREATED',
    currency: 'INR',
    amountPaise: PRICE,
    discountPaise: 0,
    lines: [{ ...line, amountPaise: PRICE, ...TERMS }],
    openKey: userId,
    openSlot: `${userId}:0`,
    couponCode: null,
    gateway: 'razorpay',
    gatewayOrderId: null,
    paymentId: null,
    reviewReason: null,
    timeline: [],
    expiresAt: new Date(at.getTime() + 3_600_000),
    checkedAt: at,
    dueAt: at,
    paidAt: null,
    fulfilledAt: null,
    createdAt: at,
    updatedAt: at,
  })
  const credentials = Buffer.from(`${SETTINGS.RAZORPAY_KEY_ID}:${SECRETS.key}`).toString('base64')
  const response = await fetch(`${razorpay.url}/v1/orders`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
    body: JSON.stringify({ amount: PRICE, currency: 'INR', receipt: order._id }),
  })
  const { id } = (await response.json()) as { id: string }
  await db.orm.orders.where({ _id: order._id }).update({ gatewayOrderId: id })
  return id
}

type Answer = { status: number; milliseconds: number }

async function sendAll(servers: Server[], events: Event[]): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS / servers.length })
  const answers: Answer[] = []
  let next = 0
  const client = async () => {
    for (let at = next++; at < events.length; at = next++) {
      const event = events[at]
      const server = servers[at % servers.length]
      if (event && server) answers.push(await send(agent, server, event))
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, client))
  agent.destroy()
  return answers
}

function send(agent: Agent, { port }: Server, { body, signature, eventId }: Event) {
  const start = performance.now()
  return new Promise<Answer>((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'x-razorpay-signature': signature,
      'x-razorpay-event-id': eventId,
    }
    const url = `http://127.0.0.1:${port}/webhooks/razorpay`
    request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, milliseconds: performance.now() - start })
      })
    })
      .on('error', reject)
      .end(body)
  })
}

/** Those that are not fulfilled after all patience; every event is worked on by then, too. */
async function waitForOrders({ orm }: Db): Promise<string[]> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const [orders, events] = await Promise.all([
      orm.orders.where({}).select('_id', 'status').all(),
      orm.webhook_events.where({ state: 'WAITING' }).select('_id').all(),
    ])
    const open = orders.filter(({ status }) => status !== 'FULFILLED')
    if (open.length + events.length === 0 || performance.now() > end)
      return open.map(({ _id }) => _id)
    await setTimeout(200)
  }
}
