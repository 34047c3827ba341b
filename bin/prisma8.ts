#!/usr/bin/env node
// Prisma 8's commands for the schema and the database, without the `prisma` package: that brings a
// gigabyte of tools for its cloud. No telemetry is wired.
import { createCli } from '@prisma/cli-engine'
import { loadOrmConfig, ormCommandFamily } from '@prisma/orm-toolchain/cli'

const cli = createCli({
  name: 'prisma8',
  version: '8.0.0-rc.13',
  commandFamilies: [ormCommandFamily],
  commands: ormCommandFamily.commands,
  groups: {
    contract: { brief: 'The contract and what is emitted from it' },
    db: { brief: 'A database and its schema' },
    migration: { brief: 'Migrations' },
    'migration ref': { brief: 'Names for states of a database' },
    orm: { brief: 'The ORM' },
  },
})

process.exitCode = await cli.run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  cwd: process.cwd(),
  env: process.env,
  isTty: {
    stdin: process.stdin.isTTY,
    stdout: process.stdout.isTTY,
    stderr: process.stderr.isTTY,
  },
  host: {
    runtime: { name: 'node', version: process.versions.node },
    platform: process.platform,
    arch: process.arch,
  },
  exit: (code) => process.exit(code),
  onSignal: (listener) => {
    const signals = ['SIGINT', 'SIGTERM'] as const
    const handlers = signals.map((signal) => {
      const handler = (): void => {
        listener(signal)
      }
      process.on(signal, handler)
      return () => process.off(signal, handler)
    })
    return () => {
      for (const remove of handlers) remove()
    }
  },
  loadConfig: (configPath) =>
    loadOrmConfig({ cwd: process.cwd(), ...(configPath !== undefined && { configPath }) }),
  managementApi: { baseUrl: 'https://api.prisma.io' },
})
