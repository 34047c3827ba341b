import { api, type Outputs } from '../api.ts'
import { button } from '../controls.ts'
import { el, type Child } from '../el.ts'
import { count, price, word } from '../format.ts'
import { coursePath, go, type Page, type Visit } from '../navigation.ts'
import { cover, rating } from '../pieces.ts'

type Card = Outputs['courses']['list']['items'][number]

const LEVELS = ['BEGINNER', 'INTERMEDIATE', 'ADVANCED'] as const
const SORTS = { newest: 'Newest', rating: 'Best rated', 'price-asc': 'Cheapest' } as const

export async function catalogue({ query }: Visit): Promise<Page> {
  const search = searchOf(query)
  const { items, nextCursor } = await api.courses.list.query(search)
  const list = el('ul', { class: 'cards' }, items.map(card))
  const found = el(
    'p',
    { class: 'quiet', role: 'status' },
    summary(items.length, search, nextCursor),
  )
  const body = [
    el(
      'div',
      { class: 'hero' },
      el('h1', {}, 'Learn something that lasts'),
      el('p', {}, 'Courses by people who do it. Look into any of them before you pay.'),
      searchForm(query),
    ),
    found,
    list,
    more({ list, search, cursor: nextCursor }),
  ]
  return { title: 'Courses', body }
}

// The list also takes no input at all.
type Search = Exclude<Parameters<typeof api.courses.list.query>[0], void>

function searchOf(query: URLSearchParams): Search {
  const q = query.get('q')
  const level = LEVELS.find((one) => one === query.get('level'))
  const sort = (Object.keys(SORTS) as (keyof typeof SORTS)[]).find(
    (one) => one === query.get('sort'),
  )
  return { limit: 12, ...(q && { q }), ...(level && { level }), ...(sort && { sort }) }
}

function summary(shown: number, { q }: Search, nextCursor: string | null): string {
  const about = q ? ` for “${q}”` : ''
  if (shown === 0) return `No courses${about}.`
  return nextCursor === null ? `${count(shown, 'course')}${about}` : `The first ${shown}${about}`
}

function searchForm(query: URLSearchParams): HTMLElement {
  const form = el(
    'form',
    { class: 'search', role: 'search' },
    el('input', {
      name: 'q',
      type: 'search',
      value: query.get('q'),
      maxlength: 100,
      placeholder: 'What would you like to learn?',
      'aria-label': 'Search courses',
    }),
    select('level', 'Level', [
      ['', 'Any level'],
      ...LEVELS.map((one) => [one, word(one)] as const),
    ]),
    select('sort', 'Order', Object.entries(SORTS)),
    el('button', { class: 'button accent' }, 'Search'),
  )
  for (const name of ['level', 'sort']) {
    const control = form.elements.namedItem(name)
    if (!(control instanceof HTMLSelectElement)) continue
    control.value = query.get(name) ?? control.value
    control.addEventListener('change', () => {
      form.requestSubmit()
    })
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const entries = [...new FormData(form)].flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, value]] : [],
    )
    go(`/?${new URLSearchParams(entries)}`)
  })
  return form
}

function select(name: string, label: string, options: (readonly [string, string])[]): HTMLElement {
  return el(
    'select',
    { name, 'aria-label': label },
    options.map(([value, text]) => el('option', { value }, text)),
  )
}

type Rest = { list: HTMLElement; search: Search; cursor: string | null }

function more({ list, search, cursor: first }: Rest): Child {
  let cursor = first
  if (cursor === null) return null
  const control = button(
    'More courses',
    async () => {
      const next = await api.courses.list.query({ ...search, ...(cursor && { cursor }) })
      list.append(...next.items.map(card))
      cursor = next.nextCursor
      if (cursor === null) control.remove()
    },
    'plain',
  )
  return control
}

function card(course: Card): HTMLElement {
  return el(
    'li',
    { class: 'card' },
    cover(course),
    el(
      'div',
      { class: 'text' },
      el('p', { class: 'eyebrow' }, `${course.category} · ${word(course.level)}`),
      el('h2', {}, el('a', { href: `#${coursePath(course.slug)}` }, course.title)),
      el('p', { class: 'summary' }, course.summary),
      el('p', { class: 'quiet' }, course.instructor.name),
      el(
        'p',
        { class: 'foot' },
        el('strong', { class: 'price' }, price(course.pricePaise)),
        rating(course),
      ),
    ),
  )
}
