const LOOK_MS = 1_000

/** npm dies of a SIGTERM without passing it on; what it started must not keep the ports. */
export function stopWithParent(stop: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, LOOK_MS)
  timer.unref()
}
