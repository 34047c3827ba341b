// The engine's native files ask for glibc 2.38, but only by name: they were built by a compiler that
// spells strtol and five others `__isoc23_…` (C23 adds binary literals, which the engine never
// parses) and that takes the newest `fmod` (it differs in errno alone). Older hosts have all of them
// under their classic names, so a copy of the file that asks for those runs there.
//
// Two tables of the ELF file are rewritten in place: undefined symbols lose their prefix, and the
// version need points at the oldest version the file already asks of the same library.

const RENAMED = '__isoc23_'
const SAME_IN_OLDER_VERSIONS = new Set(['fmod'])

const SECTION = { dynsym: 11, versionNeeds: 0x6ffffffe, versionOfSymbol: 0x6fffffff }

type Section = { offset: number; size: number; link: number; info: number }

/** The minor in `GLIBC_2.38` or `2.36`; NaN for anything else, which compares false with all. */
function minor(version: string): number {
  return Number(/^(?:GLIBC_)?2\.(\d+)/.exec(version)?.[1])
}

function readSections(file: Buffer): Map<number, Section> & { at: (index: number) => Section } {
  const table = Number(file.readBigUInt64LE(40))
  const at = (index: number): Section => {
    const header = table + index * file.readUInt16LE(58)
    return {
      offset: Number(file.readBigUInt64LE(header + 24)),
      size: Number(file.readBigUInt64LE(header + 32)),
      link: file.readUInt32LE(header + 40),
      info: file.readUInt32LE(header + 44),
    }
  }
  const byType = new Map<number, Section>()
  for (let index = 0; index < file.readUInt16LE(60); index += 1) {
    byType.set(file.readUInt32LE(table + index * file.readUInt16LE(58) + 4), at(index))
  }
  return Object.assign(byType, { at })
}

function text(file: Buffer, offset: number): string {
  return file.toString('latin1', offset, file.indexOf(0, offset))
}

/** Lowers every version need newer than the host's glibc; returns the indexes of those versions. */
function lowerVersionNeeds(file: Buffer, hostVersion: string): Set<number> {
  const sections = readSections(file)
  const lowered = new Set<number>()
  const needs = sections.get(SECTION.versionNeeds)
  if (needs === undefined) return lowered
  const names = sections.at(needs.link).offset

  let need = needs.offset
  for (let library = 0; library < needs.info; library += 1) {
    const versions: { offset: number; minor: number }[] = []
    let offset = need + file.readUInt32LE(need + 8)
    for (let count = file.readUInt16LE(need + 2); count > 0; count -= 1) {
      versions.push({ offset, minor: minor(text(file, names + file.readUInt32LE(offset + 8))) })
      offset += file.readUInt32LE(offset + 12)
    }
    const newer = versions.filter((version) => version.minor > minor(hostVersion))
    const [oldest] = versions
      .filter((version) => version.minor <= minor(hostVersion))
      .sort((a, b) => a.minor - b.minor)
    for (const version of newer) {
      if (oldest === undefined) throw new Error('it names no older version of a library it needs')
      file.copy(file, version.offset, oldest.offset, oldest.offset + 4)
      file.copy(file, version.offset + 8, oldest.offset + 8, oldest.offset + 12)
      lowered.add(file.readUInt16LE(version.offset + 6) & 0x7fff)
    }
    need += file.readUInt32LE(need + 12)
  }
  return lowered
}

/**
 * Rewrites a native file, in place, to load on a host whose glibc is older than the one it was linked
 * with. Throws when it needs something the older glibc really lacks.
 */
export function adaptToGlibc(file: Buffer, hostVersion: string): void {
  const lowered = lowerVersionNeeds(file, hostVersion)
  const sections = readSections(file)
  const symbols = sections.get(SECTION.dynsym)
  const versions = sections.get(SECTION.versionOfSymbol)
  if (symbols === undefined || versions === undefined) return
  const names = sections.at(symbols.link).offset

  for (let index = 0; index < symbols.size / 24; index += 1) {
    const symbol = symbols.offset + index * 24
    const isUndefined = file.readUInt16LE(symbol + 6) === 0
    const version = file.readUInt16LE(versions.offset + index * 2) & 0x7fff
    if (!isUndefined || !lowered.has(version)) continue
    const name = text(file, names + file.readUInt32LE(symbol))
    if (name.startsWith(RENAMED)) {
      // Names share one table, so the classic name is the tail of the new one.
      file.writeUInt32LE(file.readUInt32LE(symbol) + RENAMED.length, symbol)
    } else if (!SAME_IN_OLDER_VERSIONS.has(name)) {
      throw new Error(`it needs ${name}, which glibc ${hostVersion} lacks`)
    }
  }
}
