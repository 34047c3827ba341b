import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { liveKeys } from '../model/account.ts'
import type { Api } from '../api/api.ts'
import { CHECKOUT_SCRIPT } from './script.ts'
import { readBody, sendJson } from '../api/http.ts'
import { requireOrder } from '../model/orders.ts'
import { pay } from '../model/outcomes.ts'
import { payPage } from './pay-page.ts'
import { Refusal } from '../model/refusal.ts'

const PayInDialog = z.object({
  key: z.string(),
  order_id: z.string(),
  outcome: z.enum(['success', 'fail']),
  email: z.string().optional(),
  contact: z.string().optional(),
})

/** The buyer's browser: the checkout script, what its dialog asks for, and a hosted page. */
export async function answerCheckout(
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://sandbox')
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Allow-Headers', 'Content-Type')
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  const order = /^\/checkout\/order\/([^/]+)$/.exec(url.pathname)?.[1]
  const page = /^\/pay\/([^/]+)$/.exec(url.pathname)?.[1]
  try {
    if (request.method === 'OPTIONS') response.writeHead(204).end()
    else if (url.pathname === '/checkout.js' || url.pathname === '/v1/checkout.js') {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(CHECKOUT_SCRIPT)
    } else if (order !== undefined) sendJson(response, 200, requireOrder(api.account, order).order)
    else if (page !== undefined) {
      const row = requireOrder(api.account, page)
      response
        .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
        .end(payPage(row.order.id, api.account.keys[0].id, url.searchParams.get('callback_url')))
    } else if (request.method === 'POST' && url.pathname === '/checkout/pay') {
      sendJson(response, 200, payInDialog(api, PayInDialog.parse(await readBody(request))))
    } else sendJson(response, 404, { error: 'Not found' })
  } catch (error) {
    if (error instanceof Refusal) sendJson(response, error.status, error.body)
    else if (error instanceof z.ZodError) sendJson(response, 400, { error: error.message })
    else throw error
  }
}

function payInDialog(api: Api, input: z.infer<typeof PayInDialog>): unknown {
  const { account } = api
  if (!liveKeys(account).some(({ id }) => id === input.key)) {
    throw new Refusal('The api key provided is invalid', { status: 401 })
  }
  const paid = pay(account, input.order_id, {
    outcome: input.outcome,
    keyId: input.key,
    email: input.email,
    contact: input.contact,
  })
  api.onChange()
  if (paid.checkout) return paid.checkout
  const { payment } = paid
  return {
    error: {
      code: payment?.error_code,
      description: payment?.error_description,
      source: payment?.error_source,
      step: payment?.error_step,
      reason: payment?.error_reason,
      metadata: { order_id: input.order_id, payment_id: payment?.id },
    },
  }
}
