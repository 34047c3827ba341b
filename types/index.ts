export type { AppRouter } from '../src/router.ts'
