/** Whether one exact version comes after another: `8.0.0` after `8.0.0-rc.13`, and that after `0.17.0`. */
export function isNewer(one: string, other: string): boolean {
  const [left, right] = [partsOf(one), partsOf(other)]
  for (const [at, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  if (left.before === '' || right.before === '') return left.before === '' && right.before !== ''
  return left.before.localeCompare(right.before, 'en', { numeric: true }) > 0
}

function partsOf(version: string): { numbers: number[]; before: string } {
  const [, numbers = '', before = ''] = /^([\d.]+)(?:-(.+))?$/.exec(version) ?? []
  return { numbers: numbers.split('.').map(Number), before }
}
