import { createHmac } from 'node:crypto'
import { SECRETS } from '../support/harness.ts'
import { calling, getting, packed, posting, type Arena, type Attack } from './arena.ts'

const PAYMENT = 'pay_AAAAAAAAAAAAAA'

const hmac = (text: string | Buffer, secret: string) =>
  createHmac('sha256', secret).update(text).digest('hex')

/** What the buyer's own browser holds after a payment. */
function triple({ sale }: Arena) {
  return {
    orderId: sale.order.id,
    razorpay_payment_id: sale.paymentId,
    razorpay_order_id: sale.order_id,
    razorpay_signature: hmac(`${sale.order_id}|${sale.paymentId}`, SECRETS.razorpayKey),
  }
}

const oddPayments: Attack[] = ['../orders/x', 'pay_1?x', `${PAYMENT}A`, 'pay_', '', 5, null].map(
  (paymentId) => ({
    what: `verifies the payment ${JSON.stringify(paymentId)}`,
    as: 'STUDENT',
    send: (arena) => calling('orders.verify', { ...triple(arena), razorpay_payment_id: paymentId }),
    status: 400,
    reason: 'INVALID_INPUT',
  }),
)

const EVENT = JSON.stringify({
  entity: 'event',
  account_id: 'acc_AAAAAAAAAAAAAA',
  event: 'payment.captured',
  contains: ['payment'],
  payload: { payment: { entity: { id: PAYMENT, status: 'captured', amount: 1 } } },
  created_at: 1_790_000_000,
})

const webhook = (body: string | Buffer, signature: string | null, headers: string[] = []) =>
  posting('/webhooks/razorpay', body, [
    ...headers,
    ...(signature === null ? [] : [`X-Razorpay-Signature: ${signature}`]),
    'X-Razorpay-Event-Id: evt_of_the_attack',
  ])

const right = hmac(EVENT, SECRETS.webhook)

const forged: Attack[] = (
  [
    ['none', null],
    ['an empty one', ''],
    ['one by the key secret', hmac(EVENT, SECRETS.razorpayKey)],
    ['one in capitals', right.toUpperCase()],
    ['half of one', right.slice(0, 32)],
    ['one with something after it', `${right}00`],
    ['two', `${right}, ${right}`],
    ['one of another body', hmac(`${EVENT} `, SECRETS.webhook)],
    ['one in no alphabet', 'é'.repeat(64)],
    ['ten kilobytes of one', 'a'.repeat(10_000)],
  ] as [string, string | null][]
).map(([what, signature]): Attack => ({
  what: `sends a webhook whose signature is ${what}`,
  send: () => webhook(EVENT, signature),
  status: 400,
  reason: 'SIGNATURE_INVALID',
}))

export const MONEY: Attack[] = [
  ...oddPayments,
  ...forged,
  {
    what: 'sends a webhook of the same meaning in other bytes',
    send: () => webhook(JSON.stringify(JSON.parse(EVENT), null, 1), right),
    status: 400,
    reason: 'SIGNATURE_INVALID',
  },
  {
    what: 'sends a webhook of two megabytes',
    send: () => webhook(' '.repeat(2_000_000), right),
    status: 413,
    reason: 'BODY_TOO_LARGE',
  },
  {
    what: 'sends a packed webhook',
    send: () => webhook(packed(EVENT), right, ['Content-Encoding: gzip']),
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'sends a webhook of another type',
    send: () => webhook(EVENT, right, ['Content-Type: text/plain']),
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'asks for the webhook by GET',
    send: () => getting('/webhooks/razorpay'),
    status: 405,
    reason: 'METHOD_NOT_SUPPORTED',
  },
  {
    what: 'forges a notification of Cloudinary',
    send: () =>
      posting('/webhooks/cloudinary', '{"notification_type":"upload","public_id":"x"}', [
        'X-Cld-Timestamp: 1790000000',
        `X-Cld-Signature: ${'0'.repeat(40)}`,
      ]),
    status: 401,
  },
  {
    what: 'shows somebody else’s receipt of Razorpay for somebody else’s order',
    as: 'STUDENT',
    send: (arena) => calling('orders.verify', triple(arena)),
    status: 404,
    reason: 'NOT_FOUND',
  },
  {
    what: 'buys nothing',
    as: 'STUDENT',
    send: () => calling('orders.create', { courseIds: [] }),
    status: 400,
  },
  {
    what: 'buys a draft',
    as: 'STUDENT',
    send: ({ draft }) => calling('orders.create', { courseIds: [draft.course.id] }),
    status: 404,
    reason: 'NOT_FOUND',
  },
  {
    what: 'enrols for free in what costs money',
    as: 'STUDENT',
    send: ({ filmed }) => calling('enrollments.start', { courseId: filmed.courseId }),
    status: 412,
    reason: 'NOT_FREE',
  },
  ...[{ value: 101 }, { value: 0 }, { value: -5 }, { value: 1.5 }, { value: 200 }].map(
    ({ value }): Attack => ({
      what: `makes a coupon of ${value} per cent`,
      as: 'ADMIN',
      send: () => calling('coupons.create', { code: 'ODDONE', kind: 'PERCENT', value }),
      status: 400,
      reason: 'INVALID_INPUT',
    }),
  ),
  ...[-100, 0, 1.5, '100', 1e12].map((amountPaise): Attack => ({
    what: `refunds ${JSON.stringify(amountPaise)}`,
    as: 'ADMIN',
    send: ({ sale }) => calling('refunds.create', { orderId: sale.order.id, amountPaise }),
    status: 400,
    reason: 'INVALID_INPUT',
  })),
  {
    what: 'refunds more than was paid',
    as: 'ADMIN',
    send: ({ sale }) =>
      calling('refunds.create', { orderId: sale.order.id, amountPaise: 40_000_000 }),
    status: 409,
    reason: 'REFUND_TOO_LARGE',
  },
  {
    what: 'prints somebody else’s receipt',
    as: 'STUDENT',
    send: ({ sale }) => getting(`/receipts/${sale.order.id}`),
    status: 404,
    reason: 'NOT_FOUND',
  },
]
