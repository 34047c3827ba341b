import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { isNewer } from '../bin/versions.ts'

type Manifest = {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
}
type Locked = {
  version?: string
  integrity?: string
  resolved?: string
  hasInstallScript?: boolean
  deprecated?: string
  dev?: boolean
}

const ROOT = path.resolve(import.meta.dirname, '..')
const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8')
const manifest = JSON.parse(read('package.json')) as Manifest
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }
const page = read('docs/dependencies.md')
const record = JSON.parse(read('docs/dependencies.json')) as {
  checkedOn: string
  newest: Record<string, string>
}
const packages = Object.entries(lock.packages).filter(([place]) =>
  place.startsWith('node_modules/'),
)

describe('the dependencies', () => {
  it('are pinned to one version each', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies }
    const loose = Object.entries(all).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    )
    expect(loose).toEqual([])
    const wrong = Object.entries(all).filter(
      ([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version,
    )
    expect(wrong).toEqual([])
  })

  it('are locked by their content, and come from a registry', () => {
    expect(packages.length).toBeGreaterThan(100)
    const unlocked = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
    expect(unlocked.map(([place]) => place)).toEqual([])
    const elsewhere = packages.filter(([, { resolved }]) =>
      /^(git|file|http:)/.test(resolved ?? ''),
    )
    expect(elsewhere.map(([place]) => place)).toEqual([])
  })

  it('run scripts on installation only where we decided that they may', () => {
    const scripted = packages
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([place]) => place.replace(/^.*node_modules\//, ''))
    const undecided = scripted.filter((name) => !(name in manifest.allowScripts))
    expect(undecided).toEqual([])
    expect(
      Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name]),
    ).toEqual(['node'])
  })

  it('are none that their authors marked as given up', () => {
    const deprecated = packages.filter(
      ([, one]) => one.deprecated !== undefined && one.dev !== true,
    )
    expect(deprecated.map(([place]) => place)).toEqual([])
  })

  it('are each explained', () => {
    const silent = Object.entries(manifest.dependencies).filter(
      ([name, version]) => !page.includes(`| \`${name}\` | ${version} |`),
    )
    expect(silent).toEqual([])
  })
})

const HELD = [...(page.split('## Held back')[1] ?? '').matchAll(/^\| `(.+?)` \| ([\d.]+) \|/gm)]

describe('what production installs', () => {
  it('was all asked about, on the day that the page says', () => {
    expect(Object.keys(record.newest).sort()).toEqual(Object.keys(manifest.dependencies).sort())
    expect(page.match(/As of [\d-]+/g)).toEqual([`As of ${record.checkedOn}`])
    expect(new Date(record.checkedOn).toISOString().slice(0, 10)).toBe(record.checkedOn)
    expect(new Date(record.checkedOn).getTime()).toBeLessThanOrEqual(Date.now())
    expect(page).not.toMatch(/latest/i)
  })

  it('was the newest there was, or is held back for a reason', () => {
    const behind = Object.entries(record.newest).filter(([name, version]) =>
      isNewer(version, manifest.dependencies[name] ?? ''),
    )
    expect(HELD.map(([, name, version]) => [name, version]).sort()).toEqual(behind.sort())
  })

  it.each([
    ['8.7.5', '8.7.4'],
    ['10.0.0', '9.9.9'],
    ['8.0.0', '8.0.0-rc.13'],
    ['8.0.0-rc.13', '8.0.0-rc.9'],
    ['8.0.0-rc.13', '0.17.0'],
  ])('is compared as versions are: %s comes after %s', (one, other) => {
    expect([isNewer(one, other), isNewer(other, one), isNewer(one, one)]).toEqual([
      true,
      false,
      false,
    ])
  })
})

/** Runs the script in a project of two packages, where npm answers this. */
function check(answer: string, ...args: string[]) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'deps-'))
  const write = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text)
  }
  mkdirSync(path.join(folder, 'docs'))
  write('package.json', JSON.stringify({ dependencies: { one: '1.0.0', two: '2.0.0' } }))
  write('docs/dependencies.md', 'As of 2020-01-01\n\n| `two` | 3.0.0 | why |\n')
  write('npm', `#!/bin/sh\necho '${answer}'\nexit 1\n`)
  chmodSync(path.join(folder, 'npm'), 0o755)
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` }
  const script = path.join(ROOT, 'bin', 'deps-check.ts')
  const run = spawnSync(process.execPath, [script, ...args], { cwd: folder, env, encoding: 'utf8' })
  const said = (name: string) => readFileSync(path.join(folder, name), 'utf8')
  const result = { code: run.status, out: run.stdout, page: said('docs/dependencies.md') }
  const stored = args.length > 0 ? said('docs/dependencies.json') : '{}'
  rmSync(folder, { recursive: true })
  return { ...result, stored: JSON.parse(stored) as object }
}

describe('npm run deps:check', () => {
  it('fails where something is behind that is not held back', () => {
    const newer = JSON.stringify({
      one: { current: '1.0.0', latest: '1.0.1' },
      dev: { latest: '9.0.0' },
    })
    expect(check(newer)).toMatchObject({
      code: 1,
      out: expect.stringContaining('one 1.0.0 → 1.0.1') as string,
    })
  })

  it('says what is held back, and writes the answer and the day down', () => {
    const held = JSON.stringify({ two: { current: '2.0.0', latest: '3.0.0' } })
    const { code, out, page: text, stored } = check(held, '--record')
    expect([code, out]).toEqual([0, expect.stringContaining('two 2.0.0 → 3.0.0, held back')])
    const checkedOn = new Date().toISOString().slice(0, 10)
    expect(stored).toEqual({ checkedOn, newest: { one: '1.0.0', two: '3.0.0' } })
    expect(text).toContain(`As of ${checkedOn}`)
  })

  it('says when the registry does not answer, and records nothing', () => {
    expect(check('{"error":{"code":"ENOTFOUND"}}').code).toBe(2)
    expect(check('no JSON').code).toBe(2)
  })
})
