import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** What Gurukul is run with here; a benchmark that pays names a Razorpay of its own. */
export const SETTINGS = {
  NODE_ENV: 'development',
  APP_URL: 'http://localhost:4000',
  CLIENT_ORIGINS: 'http://localhost:5173',
  RAZORPAY_KEY_ID: 'rzp_test_benchmark',
  RAZORPAY_KEY_SECRET: 'no-payment-is-made-here',
  RAZORPAY_WEBHOOK_SECRETS: 'no-webhook-comes-here',
  CLOUDINARY_URL: 'cloudinary://1:no-upload@bench',
  SMTP_URL: 'smtp://127.0.0.1:1',
  MAIL_FROM: 'bench@localhost',
  REQUESTS_PER_MINUTE: '100000000',
  LOG_LEVEL: 'warn',
}

export type Server = { child: ChildProcess; port: number }

/** Starts a server in a process of its own and waits until it takes connections. */
export async function startServer(script: string, env: Record<string, string>): Promise<Server> {
  const port = await freePort()
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '..', script)], {
    env: { PATH: process.env['PATH'], ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    if (await takesConnections(port)) return { child, port }
    await setTimeout(100)
  }
  child.kill('SIGKILL')
  throw new Error(`${script} did not start`)
}

/** Asks the server to end and waits until it has. */
export async function stopServer({ child }: Server): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
