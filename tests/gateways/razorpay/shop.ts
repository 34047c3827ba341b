import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import {
  startRazorpay,
  type RazorpayOptions,
  type RazorpaySandbox,
} from '../../../sandbox/razorpay/server.ts'
import { GatewayFailure } from '../../../src/gateways/gateway-failure.ts'
import { type Razorpay, openRazorpay } from '../../../src/gateways/razorpay/client.ts'

export const KEY_ID = 'rzp_test_0123456789abcd'
export const KEY_SECRET = 'sandbox-key-secret-0001'
export const WEBHOOK_SECRET = 'sandbox-webhook-secret-0001'

export type Shop = {
  sandbox: RazorpaySandbox
  gateway: Razorpay
  clock: Clock
  receiver: Receiver
}

export type Clock = { now: () => Date; advance: (ms: number) => void }

export function startClock(): Clock {
  let time = Date.parse('2026-01-15T10:00:00Z')
  return {
    now: () => new Date(time),
    advance: (ms) => {
      time += ms
    },
  }
}

export type Received = {
  event: string
  body: string
  headers: Record<string, string | string[] | undefined>
}
export type Receiver = {
  url: string
  received: Received[]
  /** What the next deliveries are answered with; 200 once it is used up. */
  answers: (number | 'hang')[]
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const answers: (number | 'hang')[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const { event } = JSON.parse(body) as { event: string }
      received.push({ event, body, headers: request.headers })
      const answer = answers.shift() ?? 200
      if (answer !== 'hang') response.writeHead(answer).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/webhooks/razorpay`, received, answers }
}

export async function startShop(options: Partial<RazorpayOptions> = {}): Promise<Shop> {
  const clock = startClock()
  const receiver = await startReceiver()
  const sandbox = await startRazorpay({
    keyId: KEY_ID,
    keySecret: KEY_SECRET,
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: receiver.url,
    now: clock.now,
    ...options,
  })
  onTestFinished(() => sandbox.close())
  return { sandbox, clock, receiver, gateway: openGateway(sandbox.url, clock) }
}

/** Retries after the shortest pauses, and silences that are believed after 250 ms. */
export function openGateway(apiUrl: string, clock: Clock = startClock()): Razorpay {
  return openRazorpay({
    keyId: KEY_ID,
    keySecret: KEY_SECRET,
    apiUrl,
    timeoutMs: 250,
    now: clock.now,
    random: () => 0,
  })
}

/** An order of 5 rupees; answers its id. */
export async function placeOrder({ gateway }: Shop): Promise<string> {
  const order = await gateway.createOrder({ amountPaise: 500, currency: 'INR', receipt: 'r-1' })
  return order.id
}

export async function failureOf(call: Promise<unknown>): Promise<GatewayFailure> {
  const failure: unknown = await call.then(
    () => 'no failure',
    (error: unknown) => error,
  )
  if (failure instanceof GatewayFailure) return failure
  throw new Error(`expected a GatewayFailure, got ${String(failure)}`)
}
