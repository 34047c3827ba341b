import { describe, expect, inject, it } from 'vitest'
import { runStorm } from '../../../bench/storm-run.ts'
import { databaseUrl } from '../../../sandbox/mongo/start.ts'

describe('a storm of webhooks on two servers', () => {
  it('is acknowledged to the last, and every order is fulfilled once', async () => {
    const storm = await runStorm(databaseUrl(inject('mongoUrl'), 'test-storm'), 100)
    expect(storm).toMatchObject({ sent: 100, orders: 23 })
    const { refused, unfulfilled, violations } = storm
    expect({ refused, unfulfilled, violations }).toEqual({
      refused: [],
      unfulfilled: [],
      violations: [],
    })
  }, 120_000)
})
