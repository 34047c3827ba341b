import type { Lucia } from 'lucia'
import type { StoredSession, StoredUser } from './session-store.ts'

declare module 'lucia' {
  interface Register {
    Lucia: Lucia<StoredSession, StoredUser>
    DatabaseSessionAttributes: StoredSession
    DatabaseUserAttributes: StoredUser
  }
}
