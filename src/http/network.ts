import { isIP } from 'node:net'
import { ipKeyGenerator } from 'express-rate-limit'

/**
 * The address limits are counted by: a whole /56 for IPv6, since one subscriber owns at least that much;
 * 'unknown' for what is no address.
 */
export function networkOf(ip: string | undefined): string {
  // Some proxies write the port as well, and each connection would be a network of its own.
  const address = (ip ?? '').replace(/^\[(.*)\](:\d+)?$|^([\d.]+):\d+$/, '$1$3')
  return isIP(address) === 0 ? 'unknown' : ipKeyGenerator(address, 56)
}
