import { MINUTE_MS, SECOND_MS } from '../durations.ts'

/** At least so many bytes must come in while we wait so many seconds for them. */
export type MinimumRate = { bytes: number; seconds: number }

/** How long, in milliseconds, a client is waited for that is slow, be it on purpose or not. */
export type Timeouts = {
  /** For all headers of a request, counted from the opening of the connection or the last answer. */
  headers: number
  /** For the whole body of a request that is no upload. */
  body: number
  /** For a whole request, an upload included; uploads also have a minimum rate. */
  request: number
  /** How fast an upload must be. */
  uploadMinimumRate: MinimumRate
  /** For the rest of a body whose request was refused: a client that still sends reads no answer. */
  refused: number
  /** For an answer to be taken, whatever its size; and at how many bytes a second it may take longer. */
  answer: number
  answerPace: number
  /** For the next request on an open connection. */
  idle: number
  /** How often connections are looked at for the first and third of these. */
  check: number
}

/** What holds in production; tests are less patient. */
export const TIMEOUTS: Timeouts = {
  headers: 15 * SECOND_MS,
  body: 30 * SECOND_MS,
  request: 15 * MINUTE_MS,
  uploadMinimumRate: { bytes: 30 * 1024, seconds: 15 },
  refused: 2 * SECOND_MS,
  answer: 30 * SECOND_MS,
  answerPace: 8 * 1024,
  idle: 10 * SECOND_MS,
  check: 5 * SECOND_MS,
}
