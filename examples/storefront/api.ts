import { createTRPCClient, httpBatchLink, retryLink, TRPCClientError } from '@trpc/client'
import type { inferRouterOutputs } from '@trpc/server'
import type { AppRouter } from 'gurukul'
import superjson from 'superjson'
import { readSettings } from './settings.ts'

export const settings = readSettings()

export const api = createTRPCClient<AppRouter>({
  links: [
    // A server that starts anew is back in a moment; what changes something is never sent twice unasked.
    retryLink({
      retry: ({ op, error, attempts }) =>
        op.type === 'query' && error.data === undefined && attempts <= 4,
      retryDelayMs: (attempt) => attempt * 400,
    }),
    httpBatchLink({
      url: `${settings.apiUrl}/trpc`,
      transformer: superjson,
      maxItems: 20,
      fetch: (url, init) => fetch(url, { ...(init as RequestInit), credentials: 'include' }),
    }),
  ],
})

export type Outputs = inferRouterOutputs<AppRouter>

type Refusal = NonNullable<TRPCClientError<AppRouter>['data']>
export type Reason = Refusal['reason']

/** What the server says about its refusal, or null when the error is of another kind. */
export function refusalOf(error: unknown): Refusal | null {
  return error instanceof TRPCClientError
    ? ((error as TRPCClientError<AppRouter>).data ?? null)
    : null
}

/** What a person reads about an error. */
export function sentenceOf(error: unknown): string {
  const refusal = refusalOf(error)
  if (!refusal)
    return error instanceof TRPCClientError
      ? 'The server does not answer. Try again in a moment.'
      : 'Something went wrong in this page.'
  switch (refusal.reason) {
    case 'ALREADY_ENROLLED':
      return 'You have this course already.'
    case 'NOT_FOUND':
      return 'There is nothing here, or nothing that you may see.'
    case 'INTERNAL':
      return `Something went wrong on our side. Request ${refusal.requestId ?? 'unknown'}.`
    default:
      return (error as Error).message
  }
}
