import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'
import { request, sendRaw } from '../support/raw.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

async function get(query: string, headers: string[] = [], path = '/trpc/auth.me') {
  const answer = await sendRaw(lms.url, request(`GET ${path}?${query}`, headers))
  return [answer.status, reasonIn(answer.body)]
}

describe('a parameter given twice', () => {
  it('is refused, however it is spelled', async () => {
    for (const query of [
      'input={}&input={}',
      'input=&input',
      'batch=1&batch=1',
      'x=1&y=2&x=1',
      'input=%7B%7D&inp%75t=%7B%7D',
      'a+b=1&a%20b=2',
      '__proto__=1&__proto__=2',
      'constructor=1&constructor=2',
      'a=1&&a=2',
    ]) {
      expect([query, ...(await get(query))]).toEqual([query, 400, 'DUPLICATE_PARAMETER'])
    }
  })

  it('is refused on every path that reads any', async () => {
    for (const path of ['/nothing', '/uploads/avatar', '/trpc/courses.list']) {
      expect([path, ...(await get('courseId=1&courseId=2', [], path))]).toEqual([
        path,
        400,
        'DUPLICATE_PARAMETER',
      ])
    }
  })

  it('is not hidden behind a thousand others', async () => {
    const others = Array.from({ length: 1500 }, (_, n) => `${n.toString(36)}&`).join('')
    expect(await get(`input={}&${others}input={}`)).toEqual([400, 'MALFORMED_REQUEST'])
  })

  it('is no parameter of another name', async () => {
    expect(await get('input={}&Input={}&input[]={}&input.x={}')).toEqual([200, null])
    expect(Reflect.get({}, 'x')).toBeUndefined()
  })

  it('is refused inside the input of a query', async () => {
    const input = encodeURIComponent('{"json":{"limit":1,"limit":100}}')
    expect(await get(`input=${input}`, [], '/trpc/courses.list')).toEqual([
      400,
      'DUPLICATE_PARAMETER',
    ])
    const deep = encodeURIComponent(`{"json":${'['.repeat(1000)}${']'.repeat(1000)}}`)
    expect(await get(`input=${deep}`, [], '/trpc/courses.list')).toEqual([400, 'MALFORMED_REQUEST'])
    const inherited = encodeURIComponent('{"json":{"__proto__":{"limit":5}}}')
    expect(await get(`input=${inherited}`, [], '/trpc/courses.list')).toEqual([
      400,
      'MALFORMED_REQUEST',
    ])
  })
})

describe('a session cookie', () => {
  it('is refused when there are two, in one header or in several', async () => {
    const one = await aStudent(lms)
    const two = await aStudent(lms)
    for (const headers of [
      [`Cookie: ${one.cookie()}; ${two.cookie()}`],
      [`Cookie: ${one.cookie()}`, `Cookie: ${two.cookie()}`],
      [`Cookie: ${one.cookie()};${one.cookie()}`],
      [`Cookie: session=x; other=y;   ${two.cookie()}`],
      [`Cookie: session; ${two.cookie()}`],
    ]) {
      expect(await get('', headers)).toEqual([400, 'DUPLICATE_PARAMETER'])
    }
  })

  it('counts as none when it is not one of ours', async () => {
    for (const value of [
      'j:{"$ne":null}',
      's:abc.def',
      '%',
      '%00',
      'a'.repeat(41),
      'A'.repeat(40),
      '"'.repeat(40),
      '__proto__',
      '[object Object]',
      ' ',
    ]) {
      const answer = await sendRaw(
        lms.url,
        request('GET /trpc/auth.me', [`Cookie: session=${value}; __proto__=x; a[b]=c; %=%`]),
      )
      expect([value, answer.status, answer.body]).toEqual([
        value,
        200,
        '{"result":{"data":{"json":null}}}',
      ])
    }
  })

  it('is taken beside any others', async () => {
    const student = await aStudent(lms)
    const answer = await sendRaw(
      lms.url,
      request('GET /trpc/auth.me', [`Cookie: a=1; a=2; mysession=3; ${student.cookie()}; b=4`]),
    )
    expect(answer.body).toContain(student.user.id)
  })
})
