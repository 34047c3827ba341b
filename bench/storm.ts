// `node bench/storm.ts`, and the last part of `npm run bench`.
import { startMongo, type Mongo } from '../sandbox/mongo/start.ts'
import { runStorm } from './storm-run.ts'

const EVENTS = 1_000

/** A thousand signed webhooks at once, three in ten of them sent twice, against two servers. */
export async function printStorm(mongo: Mongo): Promise<void> {
  const storm = await runStorm(mongo.databaseUrl('storm'), EVENTS)
  const { sent, orders, milliseconds, acknowledgedMs, fulfilledMs, ...wrong } = storm
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
  console.log(`\nwebhook storm: ${sent} signed events, 30 % of them repeated, on two servers
  acknowledged       p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, all within ${seconds(acknowledgedMs)}
  fulfilled          ${orders} orders within ${seconds(fulfilledMs)}`)
  if (Object.values(wrong).some((list) => list.length > 0))
    throw new Error(`the storm did harm: ${JSON.stringify(wrong, null, 2)}`)
  console.log('  lost, done twice   none')
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

if (import.meta.main) {
  const mongo = await startMongo()
  try {
    await printStorm(mongo)
  } finally {
    await mongo.close()
  }
}
