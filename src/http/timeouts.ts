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
  /** For an answer to be taken, whatever its size; and the bytes a second that it may take longer by. */
  answer: number
  answerPace: number
  /** For the next request on an open connection. */
  idle: number
  /** How often connections are looked at for the first and third of these. */
  check: number
}

export const TIMEOUTS: Timeouts = {
  headers: 15_000,
  body: 30_000,
  request: 15 * 60_000,
  uploadMinimumRate: { bytes: 30 * 1024, seconds: 15 },
  refused: 2_000,
  answer: 30_000,
  answerPace: 8 * 1024,
  idle: 10_000,
  check: 5_000,
}
