import 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The run's one MongoDB, with no database named: each test file takes one of its own. */
    mongoUrl: string
  }
}
