import type { IncomingMessage } from 'node:http'
import type { MinimumRate } from '../http/timeouts.ts'

/**
 * Calls `onSlow` when, in `seconds` of waiting for the client, fewer than `bytes` have come in. The time in
 * which we ourselves do not read, because Cloudinary takes no more, does not count. Answers a function that
 * ends this.
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
