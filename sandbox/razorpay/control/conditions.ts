import { addAll } from '../../during.ts'
import type { Fault, Faults } from '../api/faults.ts'
import type { Endpoint, Settings } from '../model/account.ts'
import type { WebhookTransport } from '../webhooks/transport.ts'

/** What may be otherwise for a while: how webhooks travel, the account's settings, and faults of the API. */
export type Conditions = Partial<WebhookTransport & Settings> & {
  /** Whether the dashboard's endpoint is sent anything. */
  webhooksEnabled?: boolean
  /** These wait beside those that wait already. */
  faults?: readonly Fault[]
}

type Fields = Record<string, unknown>
type Override = { target: Fields; name: string; before: unknown }

type Places = {
  transport: WebhookTransport
  settings: Settings
  endpoint: Endpoint
  faults: Pick<Faults, 'add'>
}

/** Answers how to set conditions, which answers how to put back what was there before. */
export function openConditions({ transport, settings, endpoint, faults }: Places) {
  // The oldest first: conditions may overlap and end in any order, so each hands on what it found.
  const standing: Override[] = []

  function override(target: Fields, name: string, value: unknown): () => void {
    const mine: Override = { target, name, before: target[name] }
    target[name] = value
    standing.push(mine)
    return () => {
      const at = standing.indexOf(mine)
      const next = standing.slice(at + 1).find((one) => one.target === target && one.name === name)
      if (next) next.before = mine.before
      else target[name] = mine.before
      standing.splice(at, 1)
    }
  }

  return ({ faults: struck = [], webhooksEnabled, ...values }: Conditions): (() => void) => {
    const undo = Object.entries(values).map(([name, value]) =>
      override(name in transport ? transport : settings, name, value),
    )
    if (webhooksEnabled !== undefined)
      undo.push(override(endpoint.webhook, 'active', webhooksEnabled))
    undo.push(addAll(struck, faults))
    return () => {
      for (const each of undo.reverse()) each()
    }
  }
}
