// A hook that is registered while a test or another hook runs is never called. So whatever is opened there is
// named here, and setup.ts closes it when its file has ended.
const open: (() => unknown)[] = []

export function closeWithFile(close: () => unknown): void {
  open.push(close)
}

/** Closes what was opened last first; all of it, whatever fails. */
export async function closeAll(): Promise<void> {
  const failures: unknown[] = []
  for (let close = open.pop(); close; close = open.pop()) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'))
}
