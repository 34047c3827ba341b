import { api, type Outputs } from '../api.ts'
import { el, type Child } from '../el.ts'
import { date, rupees } from '../format.ts'
import { orderPath, type Page } from '../navigation.ts'
import { statusOf } from './order.ts'

type Order = Outputs['orders']['mine']['items'][number]

export async function myOrders(): Promise<Page> {
  const { items } = await api.orders.mine.query({ limit: 100 })
  const empty = el('p', {}, 'None yet. ', el('a', { href: '#/' }, 'Find your first course'))
  return {
    title: 'My orders',
    body: [
      el('h1', {}, 'My orders'),
      items.length === 0 ? empty : el('ul', { class: 'rows card' }, items.map(row)),
    ],
  }
}

function row(order: Order): Child {
  return el(
    'li',
    {},
    el(
      'div',
      {},
      el(
        'a',
        { href: `#${orderPath(order.id)}` },
        order.lines.map(({ title }) => title).join(', '),
      ),
      el('span', { class: 'quiet' }, date(order.createdAt)),
    ),
    el('strong', {}, rupees(order.amountPaise)),
    statusOf(order),
  )
}
