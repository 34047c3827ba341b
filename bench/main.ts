import { applyContract } from '../prisma/apply.ts'
import { startMongo } from '../sandbox/mongo/start.ts'
import { fill, TOKEN } from './data.ts'
import { get, medianOf, rateOf, type Target } from './load.ts'
import { SETTINGS, startServer, stopServer } from './processes.ts'
import { printStorm } from './storm.ts'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7)
const MILLISECONDS = 1_500
const COURSES = 1_000

const mongo = await startMongo()
const databaseUrl = mongo.databaseUrl('bench')
await applyContract(databaseUrl)
await fill(databaseUrl, COURSES)

const servers = {
  'raw node:http + driver': await start('bench/servers/raw.ts'),
  'Express + Mongoose, same security': await start('bench/servers/express-mongoose.ts'),
  Gurukul: await start('src/main.ts'),
}

const cookie = { cookie: `session=${TOKEN}` }
const input = encodeURIComponent(JSON.stringify({ json: {} }))
const rows: Record<string, Target[]> = {
  'courses.list (20 of 1,000)': targets(
    ['/courses', '/courses', `/trpc/courses.list?input=${input}`],
    {},
  ),
  'auth.me': targets(['/me', '/me', '/trpc/auth.me'], cookie),
}

try {
  console.log(
    `${ROUNDS} rounds of ${MILLISECONDS} ms each, 32 connections, Node ${process.version}; medians.`,
  )
  for (const [row, contenders] of Object.entries(rows)) await compare(row, contenders)
} finally {
  await Promise.all(Object.values(servers).map(stopServer))
}
try {
  await printStorm(mongo)
} finally {
  await mongo.close()
}

function start(script: string) {
  return startServer(script, { ...SETTINGS, DATABASE_URL: databaseUrl })
}

/** Every contender in every round, in turn: what slows the machine slows them all. */
async function compare(row: string, contenders: Target[]): Promise<void> {
  const rates = contenders.map((): number[] => [])
  const ratios = contenders.map((): number[] => [])
  for (const target of contenders) {
    await get(target)
    await rateOf(target, 500)
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const measured: number[] = []
    for (const target of contenders) measured.push(await rateOf(target, MILLISECONDS))
    measured.forEach((rate, at) => {
      rates[at]?.push(rate)
      ratios[at]?.push(rate / (measured[0] ?? Number.NaN))
    })
  }
  console.log(`\n${row}`)
  contenders.forEach(({ name }, at) => {
    const rate = Math.round(medianOf(rates[at] ?? []))
    console.log(
      `  ${name.padEnd(36)} ${String(rate).padStart(6)} /s   ${medianOf(ratios[at] ?? []).toFixed(2)}`,
    )
  })
}

function targets(paths: string[], headers: Record<string, string>): Target[] {
  return Object.entries(servers).map(([name, { port }], at) => ({
    name,
    url: `http://127.0.0.1:${port}${paths[at] ?? ''}`,
    headers,
  }))
}
