#!/usr/bin/env node
// Asks the registry about known vulnerabilities in what production installs. Not every registry answers that
// question; then it says so and leaves the rest to tests/dependencies.test.ts, which reads the lock file.
import { spawnSync } from 'node:child_process'

type Report = { metadata?: { vulnerabilities: Record<string, number> } }

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' })
const counts = countsOf(stdout)

if (counts === null) {
  process.stdout.write('audit: this registry answers no questions about vulnerabilities\n')
} else {
  const serious = (counts['high'] ?? 0) + (counts['critical'] ?? 0)
  process.stdout.write(`audit: ${JSON.stringify(counts)}\n`)
  if (serious > 0) {
    process.stderr.write(stdout)
    process.exitCode = 1
  }
}

function countsOf(text: string): Record<string, number> | null {
  try {
    return (JSON.parse(text) as Report).metadata?.vulnerabilities ?? null
  } catch {
    return null
  }
}
