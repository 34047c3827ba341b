/** The reason of a refusal, whichever door it comes from, or null when it is none. */
export function reasonIn(body: string): string | null {
  const parsed = JSON.parse(body) as unknown
  const first = Array.isArray(parsed) ? (parsed[0] as unknown) : parsed
  const { error } = first as { error?: Refusal }
  return error?.json?.data.reason ?? error?.reason ?? null
}

type Refusal = { reason?: string; json?: { data: { reason: string } } }
