// Which room may import which: rules for dependency-cruiser, which tests/architecture.test.ts runs.
import type { IConfiguration } from 'dependency-cruiser'

/** A room may import those before it in a row; `mail`, `gateways`, `http` and the spine any room may. */
const ROWS = [
  ['auth', 'courses', 'media', 'learning', 'orders', 'invoices', 'payments', 'books'],
  ['auth', 'coupons', 'orders'],
  ['auth', 'users'],
]
export const ROOMS = [...new Set(ROWS.flat())].sort()

const inside = (...rooms: string[]) => `^src/(${rooms.join('|')})/`

function before(room: string): string[] {
  const direct = ROWS.flatMap((row) => row.slice(0, Math.max(0, row.indexOf(room))))
  return [...new Set([...direct, ...direct.flatMap(before)])]
}

const oneWay = ROOMS.map((room) => {
  const mayImport = [room, ...before(room), 'mail', 'gateways', 'http']
  return {
    name: `${room}-depends-one-way`,
    severity: 'error' as const,
    from: { path: inside(room) },
    to: { path: '^src/[^/]+/', pathNot: inside(...mayImport) },
  }
})

// What wires the rooms together: whoever imports one of these imports them all.
const WIRING = '^src/(main|server|app|router)\\.ts$'

export const rules: IConfiguration = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Whoever reads one file of a circle has to read all of them; types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...oneWay,
    {
      name: 'gateways-and-mail-are-leaves',
      comment: 'Each speaks to one outside system and knows no room.',
      severity: 'error',
      from: { path: inside('gateways', 'mail') },
      to: { path: inside(...ROOMS, 'http') },
    },
    {
      name: 'gateways-know-only-their-own',
      severity: 'error',
      from: { path: '^src/gateways/([^/]+)/' },
      to: { path: '^src/gateways/[^/]+/', pathNot: '^src/gateways/$1/' },
    },
    {
      name: 'payment-adapters-stay-behind-the-port',
      comment: 'Rooms speak of payments in the words of gateways/payments.ts.',
      severity: 'error',
      from: { path: inside(...ROOMS, 'mail', 'http') },
      to: { path: '^src/gateways/(razorpay|stripe)/' },
    },
    {
      name: 'wiring-is-imported-by-wiring',
      severity: 'error',
      from: { path: '^src/', pathNot: WIRING },
      to: { path: WIRING },
    },
    {
      name: 'http-is-transport',
      severity: 'error',
      from: { path: inside('http') },
      to: { path: inside(...ROOMS, 'mail', 'gateways') },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(sandbox|tests|bench|examples|bin)/' },
    },
    {
      name: 'doors-speak-trpc-and-express',
      comment: 'A verb refuses by a reason and knows nothing of HTTP.',
      severity: 'error',
      from: {
        path: '^src/[^/]+/',
        pathNot: [inside('http'), '/(router|webhook|upload|receipt|owner-procedure)\\.ts$'],
      },
      to: { path: '^node_modules/(@trpc/server|express)(/|$)' },
    },
  ],
}
