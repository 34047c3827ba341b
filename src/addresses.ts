import { BlockList, isIP } from 'node:net'
import { ConnectionString } from 'mongodb-connection-string-url'

const THIS_MACHINE = new BlockList()
THIS_MACHINE.addSubnet('127.0.0.0', 8, 'ipv4')
THIS_MACHINE.addAddress('::1', 'ipv6')

/** Whether a host is this very machine: nobody on the way can read what is sent there. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const family = isIP(host)
  if (family === 0) return host === 'localhost'
  return THIS_MACHINE.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * The address of a database as its driver reads it, null where it is none: several hosts and `mongodb+srv` are
 * no URL for `new URL`.
 */
function readDatabaseUrl(value: string): ConnectionString | null {
  try {
    return new ConnectionString(value)
  } catch {
    return null
  }
}

/** Whether MongoDB's driver can read this address. */
export function isDatabaseUrl(value: string): boolean {
  return readDatabaseUrl(value) !== null
}

// Each of them encrypts to whoever answers.
const UNCHECKED = ['tlsInsecure', 'tlsAllowInvalidCertificates', 'tlsAllowInvalidHostnames']

/**
 * Whether what is said to this database can be read, or answered, by somebody on the way: another machine without
 * TLS, or with TLS that checks no certificate.
 */
export function isPlainDatabase(value: string): boolean {
  const address = readDatabaseUrl(value)
  if (!address) return true
  if (!address.isSRV && address.hosts.every((host) => isLoopback(hostOf(host)) || isSocket(host)))
    return false
  const options = address.typedSearchParams<Record<string, string>>()
  const said = [...options.getAll('tls'), ...options.getAll('ssl')]
  const isTls = said.length === 0 ? address.isSRV : said.every((one) => one === 'true')
  return !isTls || UNCHECKED.some((name) => options.has(name) && options.get(name) !== 'false')
}

const hostOf = (host: string): string => host.replace(/:\d+$/, '')
const isSocket = (host: string): boolean => decodeURIComponent(host).endsWith('.sock')

/**
 * Whether mails to this server can be read on the way. `smtp://` encrypts when the server offers it, and whoever
 * is between takes the offer out; `requireTLS=true` insists.
 */
export function isPlainMail(value: string): boolean {
  const { protocol, hostname, searchParams } = new URL(value)
  if (isLoopback(hostname)) return false
  const isChecked = searchParams.getAll('tls.rejectUnauthorized').every((one) => one === 'true')
  const isForced =
    searchParams.getAll('requireTLS').join() === 'true' && !searchParams.has('ignoreTLS')
  return !isChecked || (protocol !== 'smtps:' && !isForced)
}
