import { TRPCClientError } from '@trpc/client'
import type { AppRouter } from '../src/router.ts'

/** Does one step and prints it with its outcome; a step that fails ends the journey. */
export async function step<Outcome>(name: string, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    const outcome = await act()
    console.log(
      `  ✓ ${name}${typeof outcome === 'string' && outcome.length < 40 ? `: ${outcome}` : ''}`,
    )
    return outcome
  } catch (error) {
    console.log(`  ✗ ${name}`)
    throw error
  }
}

/** Waits for a call to be refused for this reason; its type knows every reason there is. */
export async function refusal(
  call: Promise<unknown>,
  reason: NonNullable<TRPCClientError<AppRouter>['data']>['reason'],
): Promise<string> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof TRPCClientError)) throw error
    const { data, message } = error as TRPCClientError<AppRouter>
    if (data?.reason === reason) return reason
    throw new Error(`refused, but for ${data?.reason ?? message}`, { cause: error })
  }
  throw new Error(`was let through, where ${reason} was due`)
}

export function expect(isTrue: boolean, otherwise: string): asserts isTrue {
  if (!isTrue) throw new Error(otherwise)
}
