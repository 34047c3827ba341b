// usage: node sandbox/mongo/server.ts DIR PORT [temporary]
// One embedded MongoDB, in a process of its own because a fault in it ends its process. Prints one
// line of JSON when it serves, and stops when its standard input ends: so it never outlives whoever
// started it, however they died, and leaves no temporary directory behind.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { loadEngine } from './native.ts'
import { listen, runCommand } from './wire.ts'

const [dir = '', port = '0', temporary] = process.argv.slice(2)

function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (text.includes('DBPathInUse')) {
    return `${dir} is in use by another MongoDB process: stop that one, or give this one a directory of its own.`
  }
  if (text.includes('EADDRINUSE'))
    return `Port ${port} is in use: stop what listens there, or choose another.`
  return text
}

async function main(): Promise<void> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  // This build acknowledges about one write in five before its journal has left the process, whatever the
  // write concern (0.1.1). Handed to the kernel at each commit, none is lost with the process.
  // And it keeps each file of each collection open for ten minutes: some hundred databases in a row, as tests make
  // them, would use up what a process may have open, and it would abort.
  const settings = [
    'transaction_sync=(enabled=true,method=none)',
    'file_manager=(close_idle_time=20,close_scan_interval=5,close_handle_minimum=500)',
  ]
  writeFileSync(path.join(dir, 'WiredTiger.config'), `${settings.join(',')}\n`)
  const engine = await loadEngine().open(dir)
  // The default ranker ('mixed') costs plans with an execution engine this build leaves out: queries
  // with several candidate indexes would fail with code 224. The setting is not kept by the directory.
  await runCommand(engine, { setParameter: 1, internalQueryPlanRanker: 'multiPlanning' })
  const listener = await listen(engine, Number(port))

  const stop = async (): Promise<void> => {
    await listener.stop()
    await engine.close()
    if (temporary !== undefined) rmSync(dir, { recursive: true, force: true })
    process.exit(0)
  }
  process.stdin.on('end', () => void stop()).resume()
  process.on('SIGTERM', () => void stop())
  // Ctrl-C reaches the whole process group; the application still needs its database to finish.
  process.on('SIGINT', () => undefined)
  process.stdout.write(`${JSON.stringify({ port: listener.port })}\n`)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(1)
}
