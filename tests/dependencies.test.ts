import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

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
    const text = read('docs/dependencies.md')
    const silent = Object.entries(manifest.dependencies).filter(
      ([name, version]) => !text.includes(`| \`${name}\` | ${version} |`),
    )
    expect(silent).toEqual([])
  })
})
