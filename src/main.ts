import 'dotenv/config'
import { ConfigError, loadConfig } from './config.ts'
import { openDeps } from './deps.ts'
import { watchReadiness } from './readiness.ts'
import { jobs } from './router.ts'
import { serve } from './server.ts'

try {
  await run()
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`)
  process.exit(1)
}

async function run(): Promise<void> {
  // A forgotten NODE_ENV must not open to everyone what is for one's own machine.
  const isProduction = process.argv.includes('--production')
  const config = loadConfig(undefined, isProduction ? 'production' : 'development')
  const deps = await openDeps(config)
  await deps.db.ping()
  const running = await serve(deps, { host: config.host, port: config.port, jobs })
  deps.log.info({ url: running.url, mode: config.mode }, 'listening')

  let isStopping = false
  const stop = async () => {
    if (isStopping) return
    isStopping = true
    deps.log.info('stopping')
    await running.stop()
    process.exit(0)
  }
  process.once('SIGTERM', () => void stop())
  process.once('SIGINT', () => void stop())
  // What is wrong with the connections of this process may be right with those of a new one.
  watchReadiness(deps, config.readyzFatalSeconds, () => {
    if (isStopping) return
    deps.log.fatal({ seconds: config.readyzFatalSeconds }, 'not ready for too long')
    process.exit(1)
  })
  // After an error nobody expected, the state of this process is unknown: it says so, ends, and is started
  // again.
  process.on('uncaughtException', (error) => {
    deps.log.fatal({ err: error }, 'uncaught')
    process.exit(1)
  })
}
