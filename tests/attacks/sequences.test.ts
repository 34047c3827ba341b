import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { aCourseId } from '../support/builders/orders.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { request, sendRaw } from '../support/raw.ts'
import { PRIVATE, aWorld, type World } from './world.ts'

let lms: Lms
let world: World

beforeAll(async () => {
  lms = await startLms()
  world = await aWorld(lms)
})

/** Calls with fields the client's types would not let through. */
async function callRaw(cookie: string, name: string, input: unknown) {
  const body = JSON.stringify({ json: input })
  const answer = await sendRaw(
    lms.url,
    request(
      `POST /trpc/${name}`,
      [
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'X-Trpc-Source: attacks',
        ...(cookie === '' ? [] : [`Cookie: ${cookie}`]),
      ],
      body,
    ),
  )
  return { status: answer.status, body: answer.body, headers: answer.headers }
}

describe('fields nobody asked for', () => {
  it('give a new account no power', async () => {
    const email = 'mass-assigned@example.test'
    const { status, body } = await callRaw('', 'auth.register', {
      name: 'Mass',
      email,
      password: 'a password of mine',
      role: 'ADMIN',
      id: '0'.repeat(24),
      _id: '0'.repeat(24),
      emailVerified: true,
      emailVerifiedAt: '2020-01-01',
      passwordHash: 'x',
      disabledAt: null,
      createdAt: '2020-01-01',
    })
    expect(status).toBe(200)
    expect(body).toContain('"role":"STUDENT"')
    const stored = await lms.db.orm.users.where({ email }).first()
    expect(stored).toMatchObject({ role: 'STUDENT', emailVerifiedAt: null })
    expect(stored?._id).not.toBe('0'.repeat(24))
    expect(stored?.passwordHash).toMatch(/^\$argon2id\$/)
  })

  it('change nothing of an account but what may be changed', async () => {
    const { api, cookie, user } = await aStudent(lms)
    await callRaw(cookie(), 'account.update', {
      name: 'New Name',
      role: 'ADMIN',
      email: 'other@example.test',
      emailVerified: true,
      id: '0'.repeat(24),
    })
    expect(await api.account.get.query()).toMatchObject({
      id: user.id,
      name: 'New Name',
      email: user.email,
      role: 'STUDENT',
      emailVerified: false,
    })
  })

  it('hand a course to nobody, and put it on nobody’s shelf', async () => {
    const owner = await anInstructor(lms)
    const { id } = await owner.api.courses.create.mutate({ title: 'Mine alone' })
    await callRaw(owner.cookie(), 'courses.update', {
      id,
      title: 'Mine still',
      ownerId: world.teacher.user.id,
      status: 'PUBLISHED',
      slug: 'taken-over',
      ratingSum: 500,
      ratingCount: 100,
      version: 99,
      sections: [],
      publishedAt: '2020-01-01',
    })
    const stored = await lms.db.orm.courses.where({ _id: id }).first()
    expect(stored).toMatchObject({
      title: 'Mine still',
      ownerId: owner.user.id,
      status: 'DRAFT',
      slug: 'mine-alone',
      ratingSum: 0,
      ratingCount: 0,
      version: 2,
    })
  })

  it('set no price: an order costs what the course costs', async () => {
    const buyer = await aStudent(lms)
    const courseId = await aCourseId(lms, 49_900)
    const { body } = await callRaw(buyer.cookie(), 'orders.create', {
      courseIds: [courseId],
      amount: 1,
      amountPaise: 1,
      pricePaise: 1,
      currency: 'USD',
      discountPaise: 49_800,
      userId: world.buyer.user.id,
      status: 'PAID',
    })
    expect(body).toContain('"amountPaise":49900')
    expect(body).toContain('"currency":"INR"')
    const { items } = await buyer.api.orders.mine.query({})
    expect(items).toMatchObject([{ status: 'CREATED', amountPaise: 49_900 }])
  })
})

describe('things of other people', () => {
  it('answer like things that do not exist', async () => {
    const { cookie } = await aStudent(lms)
    const bodies = await Promise.all(
      [world.sale.order.id, '0'.repeat(24)].map(async (orderId) => {
        const input = encodeURIComponent(JSON.stringify({ json: { orderId } }))
        const answer = await sendRaw(
          lms.url,
          request(`GET /trpc/orders.get?input=${input}`, [`Cookie: ${cookie()}`]),
        )
        return [answer.status, answer.body.replace(/"requestId":"[^"]+"/, '')]
      }),
    )
    expect(bodies[0]).toEqual(bodies[1])
    expect(bodies[0]?.[0]).toBe(404)
  })

  it('show in no list', async () => {
    const { api } = await aStudent(lms)
    const lists = [
      await api.orders.mine.query({}),
      await api.enrollments.mine.query({}),
      await api.certificates.mine.query(),
    ]
    expect(lists.map(({ items }) => items)).toEqual([[], [], []])
    const shelf = JSON.stringify([
      await api.courses.list.query({ limit: 100 }),
      await api.courses.bySlug.query({ slug: world.filmed.course.slug }),
      await api.reviews.list.query({ courseId: world.examined.courseId }),
    ])
    expect(shelf).not.toContain(PRIVATE)
    expect(shelf).not.toContain(world.buyer.user.email)
    expect(shelf).not.toMatch(/mediaId|publicId|passwordHash|explanation|optionIds/)
    expect(shelf).not.toContain(world.draft.course.id)
  })
})

describe('a power', () => {
  it('ends with the role, in the session that is open', async () => {
    const admin = await anAdmin(lms)
    await admin.api.users.list.query({})
    await lms.db.orm.users.where({ _id: admin.user.id }).update({ role: 'STUDENT' })
    await refused(admin.api.users.list.query({}), 'FORBIDDEN')
  })

  it('is not kept by a batch that began with it', async () => {
    const { cookie } = await aStudent(lms)
    const path = 'auth.me,users.list,admin.stats'
    const input = encodeURIComponent('{"1":{"json":{}},"2":{"json":{}}}')
    const answer = await sendRaw(
      lms.url,
      request(`GET /trpc/${path}?batch=1&input=${input}`, [`Cookie: ${cookie()}`]),
    )
    const parts = JSON.parse(answer.body) as { error?: { json: { data: { reason: string } } } }[]
    expect(answer.status).toBe(207)
    expect(parts.map(({ error }) => error?.json.data.reason)).toEqual([
      undefined,
      'FORBIDDEN',
      'FORBIDDEN',
    ])
  })
})
