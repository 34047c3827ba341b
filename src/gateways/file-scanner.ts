/** A handout that waits, whole, to be stored: where it lies on this machine's disk, and what it is. */
export type FileToScan = { path: string; format: string }

/**
 * What a scanner for harmful files says of one: null, or in a word or two what was found. Where it throws, the
 * file is not taken: what could not be looked at is not let through.
 */
export type ScanFile = (file: FileToScan) => Promise<{ found: string } | null>

/** No scanner runs unless an operator plugs one in where the others are opened (deps.ts). */
export const scanNothing: ScanFile = () => Promise.resolve(null)
