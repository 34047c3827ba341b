import { calling, getting, packed, posting, type Attack } from './arena.ts'
import { OPERATOR_ATTACKS } from './operators.ts'

const UNKNOWN = '0'.repeat(24)

const oddIds: Attack[] = [[UNKNOWN], 5, null, `${UNKNOWN}0`, '../', 'x'.repeat(10_000), '', {}].map(
  (id) => ({
    what: `names a course ${JSON.stringify(id).slice(0, 40)}`,
    as: 'INSTRUCTOR',
    send: () => calling('courses.update', { id, title: 'Mine now' }),
    status: 400,
    reason: 'INVALID_INPUT',
  }),
)

const oddNumbers: Attack[] = [-1, 1.5, '100', 1e12, true, [100], null, '0x10'].map(
  (pricePaise) => ({
    what: `prices a course at ${JSON.stringify(pricePaise)}`,
    as: 'INSTRUCTOR',
    send: () => calling('courses.create', { title: 'A course', pricePaise }),
    status: 400,
    reason: 'INVALID_INPUT',
  }),
)

const oddNames: Attack[] = ['a\u0000b', 'a\r\nb', '\u202egnp.exe', 'a\u200bb', ' ', '\u2066x'].map(
  (name) => ({
    what: `is called ${JSON.stringify(name)}`,
    send: () =>
      calling('auth.register', { name, email: 'odd@example.test', password: 'a fresh password' }),
    status: 400,
    reason: 'INVALID_INPUT',
  }),
)

const LOGIN = JSON.stringify({ json: { email: 'a@example.test', password: 'some password' } })

export const INPUTS: Attack[] = [
  ...OPERATOR_ATTACKS,
  ...oddIds,
  ...oddNumbers,
  ...oddNames,
  {
    what: 'searches by a regular expression that never ends',
    send: () => calling('courses.list', { q: '(a+)+$(.*a){20}' }),
    status: 200,
  },
  {
    what: 'hides an order to the database in a cursor',
    send: () =>
      calling('courses.list', {
        cursor: Buffer.from('{"$gt":""}.{"$ne":null}').toString('base64url'),
      }),
    status: 400,
    reason: 'INVALID_INPUT',
  },
  ...[{ limit: 1e9 }, { limit: -1 }, { limit: 0 }, { limit: '20' }].map((input): Attack => ({
    what: `lists ${JSON.stringify(input)}`,
    send: () => calling('courses.list', input),
    status: 400,
    reason: 'INVALID_INPUT',
  })),
  {
    what: 'selects, includes and sorts by its own wishes',
    send: () =>
      calling('courses.list', {
        take: -1,
        select: { passwordHash: true },
        include: { owner: true },
        where: {},
        orderBy: { $natural: 1 },
      }),
    status: 200,
  },
  {
    what: 'registers with a prototype',
    send: () => calling('auth.register', '{"json":{"__proto__":{"role":"ADMIN"}}}'),
    status: 400,
    reason: 'MALFORMED_REQUEST',
  },
  {
    what: 'signs in with a constructor',
    send: () =>
      calling('auth.login', {
        email: 'nobody@example.test',
        password: 'some password',
        constructor: { prototype: { role: 'ADMIN' } },
      }),
    status: 401,
    reason: 'WRONG_CREDENTIALS',
  },
  {
    what: 'pollutes a prototype by brackets in the url',
    send: () => getting('/trpc/auth.me?__proto__[role]=ADMIN&a[constructor][prototype][x]=1'),
    status: 200,
  },
  {
    what: 'signs in by a url-encoded form',
    send: () =>
      posting('/trpc/auth.login', 'email=a&email=b', [
        'Content-Type: application/x-www-form-urlencoded',
      ]),
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'uploads a url-encoded form',
    as: 'STUDENT',
    send: () =>
      posting('/uploads/avatar', 'file=a&file=b', [
        'Content-Type: application/x-www-form-urlencoded',
      ]),
    status: 415,
  },
  {
    what: 'names two prices',
    as: 'INSTRUCTOR',
    send: () =>
      calling('courses.create', '{"json":{"title":"x y z","pricePaise":1,"pricePaise":2}}'),
    status: 400,
    reason: 'DUPLICATE_PARAMETER',
  },
  {
    what: 'nests a hundred thousand lists',
    send: () => calling('auth.login', `{"json":${'['.repeat(1e5)}${']'.repeat(1e5)}}`),
    status: 400,
    reason: 'MALFORMED_REQUEST',
  },
  {
    what: 'sends a text of a megabyte',
    send: () => calling('auth.login', { email: 'x'.repeat(1e6), password: 'x' }),
    status: 413,
    reason: 'BODY_TOO_LARGE',
  },
  {
    what: 'sends a gzip bomb of twenty megabytes',
    send: () => posting('/trpc/auth.login', packed(' '.repeat(2e7)), ['Content-Encoding: gzip']),
    status: 415,
    reason: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'has a password of two hundred kilobytes',
    send: () =>
      calling('auth.register', {
        name: 'Long',
        email: 'long@example.test',
        password: 'x'.repeat(200_000),
      }),
    status: 400,
    reason: 'INVALID_INPUT',
  },
  ...['1234567', 'password1', 'weak@example.test', 'aaaaaaaaaa'].map((password): Attack => ({
    what: `has the password ${password}`,
    send: () => calling('auth.register', { name: 'Weak', email: 'weak@example.test', password }),
    status: 400,
  })),
  ...['text/plain', 'multipart/form-data; boundary=x', 'application/octet-stream'].map(
    (type): Attack => ({
      what: `posts ${type}, as a form of another site can`,
      as: 'STUDENT',
      send: () => posting('/trpc/auth.sessions.revokeOthers', LOGIN, [`Content-Type: ${type}`]),
      status: 415,
      reason: 'UNSUPPORTED_MEDIA_TYPE',
    }),
  ),
  {
    what: 'signs somebody out by a link',
    as: 'STUDENT',
    send: () => getting('/trpc/auth.logout'),
    status: 405,
    reason: 'METHOD_NOT_SUPPORTED',
  },
  {
    what: 'subscribes to a mutation',
    send: () => getting('/trpc/auth.logout', ['Accept: text/event-stream']),
    status: 405,
  },
]
