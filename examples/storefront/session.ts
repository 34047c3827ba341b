import { api, type Outputs } from './api.ts'

export type User = Outputs['auth']['register']

let user: User | null = null

export const currentUser = (): User | null => user

/** The cookie is the browser's and hidden from this page: only the server can say who is signed in. */
export async function loadUser(): Promise<void> {
  user = (await api.auth.me.query())?.user ?? null
}

export function setUser(next: User | null): void {
  user = next
}
