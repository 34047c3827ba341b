import type { RequestHandler } from 'express'
import { SECOND_MS } from '../durations.ts'
import type { Timeouts } from './timeouts.ts'

/**
 * Cuts off whoever does not read: an answer lies in memory until it is taken, and asking costs less than
 * answering. A slow phone is given the time that a large answer takes it.
 */
export const limitAnswerTime =
  ({ answer, answerPace }: Timeouts): RequestHandler =>
  (req, res, next) => {
    const { socket } = req
    const writeHead = res.writeHead.bind(res)
    const watch = () => {
      let [began, before] = [performance.now(), socket.bytesWritten]
      const look = () => {
        // Of answers in a row only the first has the line; the others' time has not begun.
        if (res.socket === null) [began, before] = [performance.now(), socket.bytesWritten]
        const allowed = answer + ((socket.bytesWritten - before) / answerPace) * SECOND_MS
        const left = began + allowed - performance.now()
        // Closed politely, the system would go on offering it what is unread.
        if (left <= 0) socket.resetAndDestroy()
        else timer = setTimeout(look, left)
      }
      let timer = setTimeout(look, answer)
      res.once('close', () => {
        clearTimeout(timer)
      })
    }
    Object.assign(res, {
      writeHead: (...given: Parameters<typeof writeHead>) => {
        watch()
        return writeHead(...given)
      },
    })
    next()
  }
