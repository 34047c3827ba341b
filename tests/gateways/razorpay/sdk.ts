import Razorpay from 'razorpay'
import { KEY_ID, KEY_SECRET } from './shop.ts'

/** The SDK as it comes, pointed at the sandbox and nothing else changed. */
export function openSdk(url: string, options: object = {}): Razorpay {
  const sdk = new Razorpay({ key_id: KEY_ID, key_secret: KEY_SECRET, ...options })
  const { rq } = sdk.api as unknown as { rq: { defaults: { baseURL: string } } }
  rq.defaults.baseURL = url
  return sdk
}

export type Refused = { statusCode: number; error: { description: string; reason?: string } }

export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const refusal: unknown = await call.then(
    () => 'no refusal',
    (error: unknown) => error,
  )
  const { statusCode, error } = refusal as Refused
  return `${statusCode} ${error.description}`
}
