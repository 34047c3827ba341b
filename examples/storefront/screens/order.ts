import { api, refusalOf, settings, type Outputs } from '../api.ts'
import { buy } from '../checkout.ts'
import { button } from '../controls.ts'
import { el, type Child } from '../el.ts'
import { rupees, time, word } from '../format.ts'
import { orderPath, reload, type Page, type Visit } from '../navigation.ts'
import { complain } from '../notice.ts'

type Order = Outputs['orders']['get']

const POLL_SECONDS = 2
const POLLS = 30

export async function order({ params: [orderId = ''], query, left }: Visit): Promise<Page> {
  const found = await api.orders.get.query({ orderId })
  const place = el('div', { class: 'narrow' }, details(found))
  if (query.has('wait')) void follow(orderId, place, left).catch(complain)
  return { title: 'Order', body: place }
}

/** A payment may be captured a moment after the dialog has closed. */
async function follow(orderId: string, place: HTMLElement, left: AbortSignal): Promise<void> {
  for (let poll = 0; poll < POLLS; poll += 1) {
    await new Promise((resolve) => setTimeout(resolve, POLL_SECONDS * 1000))
    if (left.aborted) return
    const found = await api.orders.get.query({ orderId })
    place.replaceChildren(...details(found))
    if (found.status !== 'CREATED' && found.status !== 'PAID') return
  }
}

function details(found: Order): Node[] {
  const { id, lines, timeline, refunds } = found
  return [
    el('h1', {}, 'Order ', statusOf(found)),
    el('p', { class: 'quiet' }, `${id} · ${time(found.createdAt)}`),
    el(
      'table',
      { class: 'card' },
      el('caption', { class: 'hidden' }, 'What was ordered'),
      el(
        'tbody',
        {},
        lines.map(({ title, listPaise }) => money(title, listPaise)),
        found.discountPaise > 0 && money(discountOf(found), -found.discountPaise),
      ),
      el(
        'tfoot',
        {},
        money('Total', found.amountPaise),
        found.refundedPaise > 0 && money('Refunded', -found.refundedPaise),
      ),
    ),
    el('div', { class: 'steps' }, next(found)),
    el('h2', {}, 'What happened'),
    el(
      'ol',
      { class: 'timeline' },
      timeline.map(({ at, event, detail }) =>
        el(
          'li',
          {},
          el('span', {}, word(event), detail !== null && `: ${detail}`),
          el('time', { class: 'quiet', datetime: at.toISOString() }, time(at)),
        ),
      ),
      // What is over stands in the timeline.
      refunds
        .filter(isUnderWay)
        .map(({ createdAt, amountPaise, status }) =>
          el(
            'li',
            {},
            el('span', {}, `Refund of ${rupees(amountPaise)}: ${word(status).toLowerCase()}`),
            el('time', { class: 'quiet', datetime: createdAt.toISOString() }, time(createdAt)),
          ),
        ),
    ),
  ]
}

const isUnderWay = ({ status }: Order['refunds'][number]): boolean =>
  status === 'REQUESTED' || status === 'PENDING'

const discountOf = ({ couponCode }: Order): string =>
  couponCode === null ? 'Discount' : `Coupon ${couponCode}`

function money(label: string, paise: number): Child {
  return el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, rupees(paise)))
}

function next(found: Order): Child {
  const { id, status, lines, couponCode } = found
  if (status === 'CREATED')
    return button('Pay now', async () => {
      const coupon = couponCode === null ? {} : { couponCode }
      const courseIds = lines.map(({ courseId }) => courseId)
      const description = lines.map(({ title }) => title).join(', ')
      await buy({ courseIds, description, ...coupon }, (paid) => orderPath(paid.id))
    })
  if (status !== 'FULFILLED') return null
  const href = `${settings.apiUrl}/receipts/${encodeURIComponent(id)}`
  const paid = lines.filter(({ amountPaise }) => amountPaise > 0)
  return [
    el('a', { class: 'button plain', href, target: '_blank', rel: 'noopener' }, 'Receipt'),
    el('a', { class: 'button plain', href: '#/my-courses' }, 'To my courses'),
    found.refundedPaise === 0 && paid.map((line) => refund(id, line)),
  ]
}

function refund(orderId: string, { courseId, title }: Order['lines'][number]): HTMLElement {
  return button(
    'Money back',
    async () => {
      if (!confirm(`Give back “${title}”? Your access to it ends.`)) return
      await withPassword(() => api.orders.requestRefund.mutate({ orderId, courseId }))
      reload('The money is on its way back to you.')
    },
    'plain',
  )
}

/** Money moves only for whoever has proved the password lately. */
async function withPassword(call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (refusalOf(error)?.reason !== 'PASSWORD_NEEDED') throw error
    const password = prompt('Your password, to be sure that it is you:')
    if (password === null || password === '') throw error
    await api.auth.confirmPassword.mutate({ password })
    await call()
  }
}

const STATUS = {
  CREATED: ['Not paid yet', ''],
  PAID: ['Paid, opening the course', ''],
  FULFILLED: ['Fulfilled', 'good'],
  EXPIRED: ['Expired', 'bad'],
  REVIEW: ['We are looking into it', 'bad'],
} as const

export function statusOf({
  status,
  refundedPaise,
  amountPaise,
}: Pick<Order, 'status' | 'refundedPaise' | 'amountPaise'>): HTMLElement {
  const [label, look] =
    refundedPaise === 0
      ? STATUS[status]
      : ([refundedPaise < amountPaise ? 'Partly refunded' : 'Refunded', ''] as const)
  return el('span', { class: `badge ${look}`, 'data-status': status }, label)
}
