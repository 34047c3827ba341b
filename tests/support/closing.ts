// A hook that is registered while a test or another hook runs is never called. So whatever is opened there is
// named here, and setup.ts closes it: with the test that opened it, or else with the file.
const open: (() => unknown)[] = []
let ofFile = 0

export function closeAfterwards(close: () => unknown): void {
  open.push(close)
}

/** What is open now stays so until the file has ended. */
export function beginTest(): void {
  ofFile = open.length
}

/** Closes what this test opened, by itself or in what runs before each. */
export function endTest(): Promise<void> {
  return closeDownTo(ofFile)
}

export function endFile(): Promise<void> {
  return closeDownTo(0)
}

/** Closes what was opened last first; all of it, whatever fails. */
async function closeDownTo(kept: number): Promise<void> {
  const failures: unknown[] = []
  while (open.length > kept) {
    try {
      await open.pop()?.()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'))
}
