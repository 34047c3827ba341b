import { calling, type Attack } from './arena.ts'

const OPERATORS: unknown[] = [
  { $ne: null },
  { $gt: '' },
  { $regex: '.*' },
  { $where: 'sleep(5000)' },
  { $expr: { $eq: [1, 1] } },
  { $function: { body: 'function() { while (true); }', args: [], lang: 'js' } },
  { $in: ['a', 'b'] },
  { $exists: true },
  { $or: [{}] },
  ['nobody@example.test'],
  null,
  true,
  0,
]

export const OPERATOR_ATTACKS: Attack[] = OPERATORS.flatMap((operator): Attack[] => {
  const shown = JSON.stringify(operator)
  const refusal = { status: 400, reason: 'INVALID_INPUT' } as const
  return [
    {
      what: `signs in as ${shown}`,
      send: () => calling('auth.login', { email: operator, password: 'some password' }),
      ...refusal,
    },
    {
      what: `signs in by the password ${shown}`,
      send: ({ buyer }) => calling('auth.login', { email: buyer.user.email, password: operator }),
      ...refusal,
    },
    {
      what: `resets by the token ${shown}`,
      send: () => calling('auth.resetPassword', { token: operator, password: 'a fresh password' }),
      ...refusal,
    },
    {
      what: `reads the order ${shown}`,
      as: 'STUDENT',
      send: () => calling('orders.get', { orderId: operator }),
      ...refusal,
    },
    {
      what: `redeems the coupon ${shown}`,
      as: 'STUDENT',
      send: ({ filmed }) =>
        calling('coupons.preview', { courseIds: [filmed.courseId], code: operator }),
      ...refusal,
    },
  ]
})
