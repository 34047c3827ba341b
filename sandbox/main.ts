import { stopWithParent } from './parent.ts'
import { findRunning } from './running.ts'
import { startSandbox } from './start.ts'

const APP_URL = process.env['APP_URL'] ?? 'http://localhost:4000'
const WEBHOOK_URL = `${APP_URL}/webhooks/razorpay`

const other = await findRunning()
if (other) {
  console.log(`A sandbox is running already (process ${other.pid}):`)
  print(other.env)
} else {
  const sandbox = await startSandbox({
    parts: ['mongodb', 'razorpay', 'cloudinary', 'mail'],
    webhookUrl: WEBHOOK_URL,
  })
  for (const note of sandbox.notes) console.log(`# ${note}`)
  console.log(`# Webhooks are sent to ${WEBHOOK_URL}`)
  print(sandbox.env)
  const stop = () => void sandbox.close().then(() => process.exit(0))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  stopWithParent(stop)
}

/** All that a server on this machine needs: with these lines, `npm start` starts. */
function print(env: Record<string, string>): void {
  const ours = {
    NODE_ENV: 'development',
    APP_URL,
    CLIENT_ORIGINS: process.env['CLIENT_ORIGINS'] ?? 'http://localhost:5173',
    MAIL_FROM: 'no-reply@localhost',
  }
  for (const [name, value] of Object.entries({ ...ours, ...env })) console.log(`${name}=${value}`)
}
