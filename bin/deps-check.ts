#!/usr/bin/env node
// Asks the registry, through npm, what is newer than what production installs. With `--record` the answer and its day
// are written down: docs/dependencies.md and tests/dependencies.test.ts go by them, and need no network.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { isNewer } from './versions.ts'

const RECORD = 'docs/dependencies.json'
const PAGE = 'docs/dependencies.md'

type Manifest = { dependencies: Record<string, string> }
type Answer = Record<string, { latest?: string }>

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const page = readFileSync(PAGE, 'utf8')
const answer = ask()

if (answer === null) {
  process.stderr.write('deps: the registry does not answer\n')
  process.exitCode = 2
} else {
  const newest = Object.fromEntries(
    Object.entries(dependencies).map(([name, version]) => [name, answer[name]?.latest ?? version]),
  )
  const late = Object.entries(newest).filter(([name, version]) =>
    isNewer(version, dependencies[name] ?? ''),
  )
  for (const [name, version] of late) {
    const isSaid = page.includes(`| \`${name}\` | ${version} |`)
    process.stdout.write(
      `${name} ${dependencies[name] ?? ''} → ${version}${isSaid ? ', held back for a reason' : ''}\n`,
    )
    if (!isSaid) process.exitCode = 1
  }
  process.stdout.write(`deps: ${late.length} of ${Object.keys(newest).length} are behind\n`)
  if (process.argv.includes('--record')) record(newest)
}

/** npm leaves out what is at its newest, and exits with 1 where anything is not. */
function ask(): Answer | null {
  const { stdout } = spawnSync('npm', ['outdated', '--json'], { encoding: 'utf8' })
  try {
    const told = JSON.parse(stdout) as Answer & { error?: unknown }
    return told.error === undefined ? told : null
  } catch {
    return null
  }
}

function record(newest: Record<string, string>): void {
  const checkedOn = new Date().toISOString().slice(0, 10)
  writeFileSync(RECORD, `${JSON.stringify({ checkedOn, newest }, null, 2)}\n`)
  writeFileSync(PAGE, page.replace(/As of \d{4}-\d\d-\d\d/, `As of ${checkedOn}`))
}
