import { beforeAll, describe, expect, it } from 'vitest'
import { anInstructor, type Person } from '../support/builders/people.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
let owner: Person
const prices = [0, 100, 300, 300, 500]

beforeAll(async () => {
  lms = await startLms()
  owner = await anInstructor(lms)
  for (const [i, pricePaise] of prices.entries()) {
    const title = `Shelf course ${i}`
    const { course } = await aPublishedCourse(lms, { owner, title, pricePaise, category: 'Shelf' })
    await lms.db.orm.courses
      .where({ _id: course.id })
      .update({ ratingSum: i * 4, ratingCount: i === 0 ? 0 : 4 })
    lms.clock.advance(1)
  }
})

type Query = Parameters<Person['api']['courses']['list']['query']>[0]

async function pages(query: Query) {
  const found = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Person['api']['courses']['list']['query']>> = await lms
      .visitor()
      .api.courses.list.query({ ...query, ...(cursor !== null && { cursor }) })
    found.push(page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}

describe('the catalogue', () => {
  it('answers cards that hold what a card shows and nothing else', async () => {
    const page = await lms.visitor().api.courses.list.query({ category: 'Shelf', limit: 1 })
    expect(page.items).toEqual([
      {
        id: expect.any(String) as string,
        slug: 'shelf-course-4',
        title: 'Shelf course 4',
        summary: 'Ownership, borrowing and lifetimes',
        category: 'Shelf',
        level: 'BEGINNER',
        language: 'en',
        pricePaise: 500,
        currency: 'INR',
        imageUrl: 'https://images.example.test/cover.png',
        ratingAverage: 4,
        ratingCount: 4,
        publishedAt: expect.any(Date) as Date,
        instructor: { id: owner.user.id, name: owner.user.name },
      },
    ])
  })

  for (const [sort, order] of [
    ['newest', [4, 3, 2, 1, 0]],
    ['price-asc', [0, 1, 2, 3, 4]],
    ['price-desc', [4, 3, 2, 1, 0]],
    ['rating', [4, 3, 2, 1, 0]],
  ] as const) {
    it(`shows each course once over pages sorted by ${sort}, equal prices included`, async () => {
      const found = await pages({ category: 'Shelf', sort, limit: 2 })
      expect(found.map((page) => page.length)).toEqual([2, 2, 1])
      expect(found.flat().map(({ title }) => Number(title.at(-1)))).toEqual(order)
    })
  }

  it('finds by words, category, level and price together', async () => {
    await aPublishedCourse(lms, { title: 'Advanced pottery glazes', pricePaise: 700 })
    const list = lms.visitor().api.courses.list
    const titles = async (query: Query) => (await list.query(query)).items.map(({ title }) => title)
    expect(await titles({ q: 'pottery' })).toEqual(['Advanced pottery glazes'])
    expect(await titles({ q: 'pottery', maxPrice: 699 })).toEqual([])
    expect(await titles({ q: 'pottery', category: 'Shelf' })).toEqual([])
    expect(await titles({ category: 'Shelf', maxPrice: 100 })).toHaveLength(2)
    expect(await titles({ category: 'Shelf', level: 'ADVANCED' })).toEqual([])
    expect((await list.query({ q: '' })).items.length).toBeGreaterThan(5)
  })

  it('shows what is looked for most first, each once over its pages', async () => {
    const title = (n: number) => `Macrame ${n}`
    const made = [
      { title: 'Knots', description: '<p>Not only macrame.</p>' },
      ...[1, 2, 3].map((n) => ({ title: title(n), description: '<p>Knots for walls.</p>' })),
      { title: 'Macrame macrame', description: '<p>All of macrame.</p>' },
      { title: 'Strings', description: '<p>Some macrame, and sewing.</p>' },
    ]
    for (const { title, description } of made) {
      const { course, owner } = await aPublishedCourse(lms, { title, pricePaise: 200 })
      await owner.api.courses.update.mutate({ id: course.id, description })
    }
    const found = await pages({ q: 'macrame', limit: 2 })
    expect(found.map((page) => page.length)).toEqual([2, 2, 2])
    const titles = found.flat().map(({ title }) => title)
    expect(titles[0]).toBe('Macrame macrame')
    expect(titles.slice(1, 4).sort()).toEqual([1, 2, 3].map(title))
    expect(titles.slice(4).sort()).toEqual(['Knots', 'Strings'])
    expect(await pages({ q: 'macrame', limit: 2, sort: 'relevance' })).toEqual(found)
    const [newest] = await pages({ q: 'macrame', sort: 'newest' })
    expect(newest?.map(({ title }) => title)).toEqual(made.map(({ title }) => title).reverse())
    const [cheapest] = await pages({ category: 'Shelf', sort: 'relevance' })
    expect(cheapest?.[0]?.title).toBe('Shelf course 4')
  })

  it('finds what a description says, and nothing of its markup', async () => {
    const { course, owner } = await aPublishedCourse(lms, { title: 'Weaving' })
    const list = lms.visitor().api.courses.list
    const description = '<p>Looms &amp; <a href="https://looms.test">shuttles</a></p><h2>Warp</h2>'
    await owner.api.courses.update.mutate({ id: course.id, description })
    for (const q of ['looms', 'shuttles', 'warp'])
      expect((await list.query({ q })).items.map(({ id }) => id)).toEqual([course.id])
    for (const q of ['p', 'h2', 'href', 'amp', 'nofollow', 'https'])
      expect((await list.query({ q })).items).toEqual([])
    await owner.api.courses.update.mutate({ id: course.id, description: '<p>Spinning</p>' })
    expect((await list.query({ q: 'shuttles' })).items).toEqual([])
  })

  it('finds courses in any language, also one MongoDB has no rules for', async () => {
    for (const language of ['Hindi', 'தமிழ்', 'none', 'x-klingon']) {
      const { course } = await aPublishedCourse(lms, { title: `Zither in ${language}` })
      const owner = await anInstructor(lms)
      const draft = await owner.api.courses.create.mutate({ title: 'Zither', language })
      expect(draft.language).toBe(language)
      await lms.db.orm.courses.where({ _id: course.id }).update({ language })
    }
    const { items } = await lms.visitor().api.courses.list.query({ q: 'zither' })
    expect(items).toHaveLength(4)
  })

  it('takes a form’s empty fields for nothing, and a level in any case', async () => {
    const list = lms.visitor().api.courses.list
    const plain = await list.query({ category: 'Shelf' })
    const wide = { category: 'Shelf', q: '', level: 'beginner', maxPrice: 900_000_000_000 }
    expect(await list.query(wide)).toEqual(plain)
    const all = await list.query({})
    expect(await list.query({ q: '', category: '' })).toEqual(all)
    expect((await list.query({ category: 'Shelf', level: 'Advanced' })).items).toEqual([])
    await refused(list.query({ level: 'expert' }), 'INVALID_INPUT')
    await refused(list.query({ maxPrice: -1 }), 'INVALID_INPUT')
  })

  it('refuses cursors it did not make, and those of another order', async () => {
    const list = lms.visitor().api.courses.list
    const { nextCursor } = await list.query({ category: 'Shelf', limit: 1 })
    const forged = Buffer.from('["newest",{"$gt":0},"x"]').toString('base64url')
    for (const cursor of ['nonsense', forged, ''])
      await refused(list.query({ cursor }), 'INVALID_INPUT')
    await refused(list.query({ cursor: nextCursor ?? '', sort: 'price-asc' }), 'INVALID_INPUT')
    await refused(list.query({ limit: 101 }), 'INVALID_INPUT')
    await refused(list.query({ category: { $ne: null } } as never), 'INVALID_INPUT')
  })
})

describe('addresses', () => {
  it('come from the title, in plain letters', async () => {
    const course = await owner.api.courses.create.mutate({ title: '  Crème brûlée: École 101! ' })
    expect(course.slug).toBe('creme-brulee-ecole-101')
    const hindi = await owner.api.courses.create.mutate({ title: 'हिन्दी सीखें' })
    expect(hindi.slug).toMatch(/^course-[0-9a-f]{8}$/)
  })

  it('are each given once, however many ask at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => owner.api.courses.create.mutate({ title: 'Wanted by all' })),
    )
    expect(new Set(made.map(({ slug }) => slug)).size).toBe(8)
    expect(made.filter(({ slug }) => slug === 'wanted-by-all')).toHaveLength(1)
    await refused(
      owner.api.courses.create.mutate({ title: 'Other', slug: 'wanted-by-all' }),
      'SLUG_TAKEN',
    )
  })
})
