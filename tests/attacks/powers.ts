import { ORIGIN } from '../support/harness.ts'
import { calling, getting, posting, type Arena, type Attack, type Attacker } from './arena.ts'

const LOGOUT = '{}'
const UNKNOWN = 'f'.repeat(24)

/** Calls by whoever is not entitled to them, each with ids that exist. */
function powers(as: Attacker): [string, (arena: Arena) => unknown][] {
  const asVisitor: [string, (arena: Arena) => unknown][] = [
    ['account.get', () => undefined],
    ['account.export', () => undefined],
    ['orders.mine', () => ({})],
    ['enrollments.start', ({ filmed }) => ({ courseId: filmed.courseId })],
    ['progress.complete', ({ filmed }) => lessonOf(filmed)],
  ]
  const asStudent: [string, (arena: Arena) => unknown][] = [
    ['users.list', () => ({})],
    ['users.setRole', ({ mallory }) => ({ userId: mallory.STUDENT.user.id, role: 'ADMIN' })],
    ['users.disable', ({ admin }) => ({ userId: admin.user.id })],
    ['admin.audit', () => ({})],
    ['admin.stats', () => ({})],
    ['orders.list', () => ({})],
    ['orders.redrive', ({ sale }) => ({ orderId: sale.order.id })],
    ['refunds.create', ({ sale }) => ({ orderId: sale.order.id, amountPaise: 100 })],
    ['coupons.create', () => ({ code: 'FREE100', kind: 'PERCENT', value: 100 })],
    ['certificates.revoke', () => ({ id: UNKNOWN, reason: 'because' })],
    ['earnings.byInstructor', ({ teacher }) => ({ instructorId: teacher.user.id })],
  ]
  if (as === 'VISITOR') return [...asVisitor, ...asStudent]
  if (as === 'INSTRUCTOR') return asStudent
  return [
    ...asStudent,
    ['courses.create', () => ({ title: 'A course of mine' })],
    ['courses.update', ({ filmed }) => ({ id: filmed.courseId, pricePaise: 1 })],
    ['courses.publish', ({ draft }) => ({ id: draft.course.id })],
    ['media.signUpload', ({ filmed }) => ({ purpose: 'lesson-video', courseId: filmed.courseId })],
    [
      'enrollments.grant',
      ({ filmed, mallory }) => ({ courseId: filmed.courseId, userId: mallory.STUDENT.user.id }),
    ],
  ]
}

const lessonOf = ({ courseId, lessonId }: { courseId: string; lessonId: string }) => ({
  courseId,
  lessonId,
})

const unentitled: Attack[] = (['VISITOR', 'STUDENT', 'INSTRUCTOR'] as const).flatMap((as) =>
  powers(as).map(([name, input]): Attack => ({
    what: `calls ${name} as ${as}`,
    as,
    send: (arena) => calling(name, input(arena)),
    status: as === 'VISITOR' ? 401 : 403,
    reason: as === 'VISITOR' ? 'UNAUTHENTICATED' : 'FORBIDDEN',
  })),
)

const foreign: Attack[] = (
  [
    ['courses.update', ({ filmed }) => ({ id: filmed.courseId, pricePaise: 1, ownerId: UNKNOWN })],
    ['courses.publish', ({ draft }) => ({ id: draft.course.id })],
    ['courses.archive', ({ filmed }) => ({ id: filmed.courseId })],
    ['courses.authoring', ({ filmed }) => ({ courseId: filmed.courseId })],
    ['enrollments.list', ({ filmed }) => ({ courseId: filmed.courseId })],
    [
      'enrollments.grant',
      ({ filmed, mallory }) => ({ courseId: filmed.courseId, userId: mallory.INSTRUCTOR.user.id }),
    ],
    ['courses.removeLesson', ({ filmed }) => lessonOf(filmed)],
    ['courses.updateLesson', ({ filmed }) => ({ ...lessonOf(filmed), body: '<p>Defaced</p>' })],
    ['media.signUpload', ({ filmed }) => ({ purpose: 'lesson-video', courseId: filmed.courseId })],
  ] as [string, (arena: Arena) => unknown][]
).map(([name, input]): Attack => ({
  what: `calls ${name} on the course of another instructor`,
  as: 'INSTRUCTOR',
  send: (arena) => calling(name, input(arena)),
  // A draft is nobody else's to know of; a course on sale is, and only its workshop is closed.
  status: [403, 404],
  reason: ['FORBIDDEN', 'NOT_FOUND'],
}))

const otherPeoples: Attack[] = (
  [
    ['orders.get', ({ sale }) => ({ orderId: sale.order.id })],
    ['orders.requestRefund', ({ sale }) => ({ orderId: sale.order.id, courseId: UNKNOWN })],
    ['auth.sessions.revoke', () => ({ id: UNKNOWN })],
    ['courses.bySlug', ({ draft }) => ({ slug: draft.course.slug })],
    ['lessons.open', ({ draft }) => ({ courseId: draft.course.id, lessonId: draft.lessonId })],
  ] as [string, (arena: Arena) => unknown][]
).map(([name, input]): Attack => ({
  what: `calls ${name} for what is not theirs`,
  as: 'STUDENT',
  send: (arena) => calling(name, input(arena)),
  status: 404,
}))

const unenrolled: Attack[] = [
  ...(['lessonId', 'videoId', 'fileId'] as const).map((which): Attack => ({
    what: `opens a paid lesson (${which}) without having paid`,
    as: 'STUDENT',
    send: ({ filmed }) =>
      calling('lessons.open', { courseId: filmed.courseId, lessonId: filmed[which] }),
    status: 403,
    reason: 'NOT_ENROLLED',
  })),
  ...['progress.complete', 'progress.position', 'quizzes.start', 'progress.get'].map(
    (name): Attack => ({
      what: `calls ${name} without being enrolled`,
      as: 'STUDENT',
      send: ({ examined }) =>
        calling(name, { courseId: examined.courseId, lessonId: examined.quizId, seconds: 1 }),
      status: 403,
      reason: 'NOT_ENROLLED',
    }),
  ),
  {
    what: 'claims a certificate for nothing',
    as: 'STUDENT',
    send: ({ examined }) => calling('certificates.claim', { courseId: examined.courseId }),
    status: 403,
  },
  {
    what: 'reviews what they never saw',
    as: 'STUDENT',
    send: ({ examined }) => calling('reviews.put', { courseId: examined.courseId, rating: 1 }),
    status: 403,
  },
  {
    what: 'opens a lesson of one course by the id of another',
    as: 'STUDENT',
    send: ({ filmed, examined }) =>
      calling('lessons.open', { courseId: examined.courseId, lessonId: filmed.videoId }),
    status: 404,
    reason: 'NOT_FOUND',
  },
]

const crossSite: Attack[] = [
  'Origin: https://evil.example',
  'Origin: null',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Site: same-site',
  `Origin: ${ORIGIN}.evil.example`,
].map((header): Attack => ({
  what: `makes somebody’s browser sign out (${header})`,
  as: 'STUDENT',
  send: () => posting('/trpc/auth.logout', LOGOUT, [header]),
  status: 403,
  reason: 'ORIGIN_REFUSED',
}))

export const POWERS: Attack[] = [
  ...unentitled,
  ...foreign,
  ...otherPeoples,
  ...unenrolled,
  ...crossSite,
  {
    what: 'signs somebody’s browser in as themselves',
    send: ({ mallory: { STUDENT } }) =>
      calling('auth.login', { email: STUDENT.user.email, password: STUDENT.password }, [
        'Origin: https://evil.example',
      ]),
    status: 403,
    reason: 'ORIGIN_REFUSED',
  },
  {
    what: 'guesses a reset token',
    send: () =>
      calling('auth.resetPassword', { token: 'a'.repeat(40), password: 'a new password' }),
    status: 400,
    reason: 'TOKEN_INVALID',
  },
  {
    what: 'asks the health page about the inside',
    send: () => getting('/healthz?verbose=1', ['Accept: text/html']),
    status: 200,
  },
]
