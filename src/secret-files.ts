import { readFileSync } from 'node:fs'

type Given = Readonly<Record<string, string | undefined>>

const MOST_BYTES = 64 * 1024

/**
 * The environment, with what stands in the file that `NAME_FILE` names as `NAME`: container platforms and
 * vaults mount secrets as files, where no list of processes and no crash report shows them. The last line
 * break is not part of it. Faults are sentences without values; a variable given in both ways is one.
 */
export function readSecretFiles(
  env: Given,
  names: readonly string[],
): { env: Given; faults: string[] } {
  const read: Record<string, string> = {}
  const faults: string[] = []
  for (const name of names) {
    const path = env[`${name}_FILE`]?.trim() ?? ''
    if (path === '') continue
    if ((env[name]?.trim() ?? '') !== '')
      faults.push(`${name} is given twice, also as ${name}_FILE`)
    try {
      read[name] = textOf(path)
    } catch {
      faults.push(`${name}_FILE names no file that can be read`)
    }
  }
  return { env: { ...env, ...read }, faults }
}

function textOf(path: string): string {
  const bytes = readFileSync(path)
  if (bytes.length > MOST_BYTES) throw new Error('too long for a secret')
  return bytes.toString('utf8').replace(/\r?\n$/, '')
}

/** DATABASE_URL for a command that needs nothing else; null when it is not given or cannot be read. */
export function givenDatabaseUrl(env: Given): string | null {
  const url = readSecretFiles(env, ['DATABASE_URL']).env['DATABASE_URL']?.trim() ?? ''
  return url === '' ? null : url
}
