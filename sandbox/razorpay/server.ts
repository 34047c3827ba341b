// Razorpay on this machine. model/ is one merchant's account: orders, payments, refunds and disputes, what
// may happen to them, and the events and refusals that follow; it knows nothing of HTTP servers. webhooks/
// sends those events to the merchant's endpoints, signed, and again along Razorpay's schedule. api/ answers
// /v1, with keys, idempotency and the faults that tests inject. checkout/ is the buyer's browser:
// checkout.js, its dialog, a hosted page. control/ is where tests and developers play the buyer, the bank and
// the dashboard, in this process or at /_control. model knows no other room, webhooks only model, api these
// two; checkout and control know api. Amounts are in paise. Times are Unix seconds in Razorpay's own fields
// and milliseconds everywhere else.
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openAccount } from './model/account.ts'
import type { Api } from './api/api.ts'
import { answerApi } from './api/api.ts'
import { loadSnapshot, saveSnapshot } from './model/snapshot.ts'
import { answerCheckout } from './checkout/checkout.ts'
import { answerControl } from './control/routes.ts'
import type { Control } from './control/control.ts'
import { openControl } from './control/control.ts'
import { openFaults } from './api/faults.ts'
import { sendJson } from './api/http.ts'
import { openSender } from './webhooks/sender.ts'

export type RazorpayOptions = {
  keyId: string
  keySecret: string
  webhookSecret: string
  webhookUrl?: string | undefined
  /** With a clock of one's own, call tick() after moving it. */
  now?: () => Date
  /** Default 0: any free one. */
  port?: number
  /** Where orders and payments outlive a restart; without it they are forgotten. */
  file?: string
}

/** The running sandbox. */
export type RazorpaySandbox = Control & {
  /** Without /v1; also serves /checkout.js, /pay/:orderId and /_control. */
  url: string
  close: () => Promise<void>
}

/** Listens on this machine alone, until it is closed. */
export async function startRazorpay(options: RazorpayOptions): Promise<RazorpaySandbox> {
  const { file } = options
  const account = openAccount(
    { id: options.keyId, secret: options.keySecret },
    options.now ?? (() => new Date()),
  )
  if (file !== undefined) loadSnapshot(account, file)
  const save = () => {
    if (file !== undefined) saveSnapshot(account, file)
  }
  const sender = openSender(account, save)
  const api: Api = {
    account,
    faults: openFaults(),
    requests: [],
    inFlight: new Set(),
    onChange: save,
  }
  const control = openControl(api, sender, {
    url: options.webhookUrl,
    secret: options.webhookSecret,
  })
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const answer = path.startsWith('/v1/')
      ? answerApi(api, request, response)
      : path.startsWith('/_control/')
        ? answerControl(control, request, response)
        : answerCheckout(api, request, response)
    answer.catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: { code: 'SERVER_ERROR', description: String(error) } })
    })
  })
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  // Whoever brings a clock moves it and calls tick; on the wall clock nobody would.
  const ticking = setInterval(() => void control.tick(), options.now ? 2 ** 31 - 1 : 1000).unref()
  return Object.assign(control, {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      clearInterval(ticking)
      sender.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      save()
    },
  })
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}
