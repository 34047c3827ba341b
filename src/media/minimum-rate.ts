import type { IncomingMessage } from 'node:http'
import type { MinimumRate } from '../http/timeouts.ts'

/**
 * Calls `onSlow` when less than this has come in while we were waiting for it; the time in which we
 * ourselves do not read, because the other end is slow, does not count.
 */
export function watchMinimumRate(
  request: IncomingMessage,
  onSlow: () => void,
  { bytes, seconds }: MinimumRate,
): () => void {
  const { socket } = request
  let [waited, before] = [0, socket.bytesRead]
  const timer = setInterval(() => {
    const isWaiting = request.readableFlowing === true && !request.readableEnded
    waited = isWaiting ? waited + 1 : 0
    if (isWaiting && waited < seconds) return
    if (isWaiting && socket.bytesRead - before < bytes) onSlow()
    ;[waited, before] = [0, socket.bytesRead]
  }, 1_000)
  return () => {
    clearInterval(timer)
  }
}
