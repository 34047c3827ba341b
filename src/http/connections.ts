import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const MOST = 10_000
const MOST_PER_ADDRESS = 500

/**
 * Closes what is above ten thousand connections, and above five hundred of one address where clients connect
 * directly: behind a proxy every connection is the proxy's own, and dividing them is its business.
 */
export function limitConnections(server: Server, { isDirect }: { isDirect: boolean }): void {
  server.maxConnections = MOST
  if (isDirect) server.on('connection', countByAddress(new Map()))
}

const countByAddress = (open: Map<string, number>) => (socket: Socket) => {
  const address = socket.remoteAddress ?? ''
  const count = (open.get(address) ?? 0) + 1
  open.set(address, count)
  socket.once('close', () => {
    const left = (open.get(address) ?? 1) - 1
    if (left > 0) open.set(address, left)
    else open.delete(address)
  })
  if (count > MOST_PER_ADDRESS) socket.destroy()
}
