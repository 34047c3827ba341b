import { GatewayFailure, isGatewayOutage } from './gateway-failure.ts'

/** Silence in a row, in calls, after which a gateway is left alone. */
const OPENS_AFTER = 5
/** How long, in milliseconds, before one call is let through to see. */
const COOLDOWN_MS = 10_000

export type Breaker = <T>(call: () => Promise<T>) => Promise<T>

/**
 * While a gateway hangs, every caller would wait out the whole deadline and hold its request open. After 5 silences
 * in a row calls fail at once, for 10 seconds; then a single probe goes through, and the breaker closes when it gets
 * an answer. Any answer shows that the gateway is there, a refusal too.
 */
export function openBreaker(gateway: string, now: () => Date): Breaker {
  let silences = 0
  let openedAt: number | null = null
  let isProbing = false

  function isClosed(): boolean {
    if (openedAt === null) return true
    const waited = now().getTime() - openedAt
    // A clock set back must not keep the breaker open until it has caught up.
    return !isProbing && (waited >= COOLDOWN_MS || waited < 0)
  }

  return async (call) => {
    if (!isClosed()) {
      throw new GatewayFailure({
        gateway,
        kind: 'unreachable',
        code: 'BREAKER_OPEN',
        description: 'not answering lately, calls are paused',
        retryable: true,
        unsent: true,
      })
    }
    const isProbe = openedAt !== null
    isProbing ||= isProbe
    try {
      const answer = await call()
      silences = 0
      openedAt = null
      return answer
    } catch (error) {
      silences = isSilence(error) ? silences + 1 : 0
      openedAt = silences >= OPENS_AFTER ? now().getTime() : null
      throw error
    } finally {
      if (isProbe) isProbing = false
    }
  }
}

function isSilence(error: unknown): boolean {
  return isGatewayOutage(error) && error instanceof GatewayFailure && error.kind !== 'throttled'
}
