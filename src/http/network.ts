import { ipKeyGenerator } from 'express-rate-limit'

/** The address limits are counted by: a whole /56 for IPv6, since one subscriber owns at least that much. */
export function networkOf(ip: string | undefined): string {
  return ip === undefined ? 'unknown' : ipKeyGenerator(ip, 56)
}
