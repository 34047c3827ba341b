import { api, refusalOf, type Outputs } from './api.ts'
import { el } from './el.ts'
import { time } from './format.ts'
import { go, orderPath } from './navigation.ts'
import { say } from './notice.ts'

type Purchase = { courseIds: string[]; couponCode?: string; description: string }
type Order = Outputs['orders']['verify']

/** Buys, and goes to `goods` when they are the visitor's, or to where the payment can be followed. */
export async function buy(purchase: Purchase, goods: (order: Order) => string): Promise<void> {
  const { order, isPaid } = await payFor(purchase)
  if (order.status === 'FULFILLED') go(goods(order), 'Thank you! The course is yours.')
  else if (order.status === 'EXPIRED')
    go(orderPath(order.id), 'Your payment came too late: the money goes back to you.')
  else if (isPaid) go(`${orderPath(order.id)}?wait`, 'Your payment is being confirmed.')
  else say(`Nothing was paid. You can pay this order until ${time(order.expiresAt)}.`)
}

/** Opens an order, or finds the one still open for this cart, and has it paid in Razorpay's dialog. */
async function payFor({
  description,
  ...cart
}: Purchase): Promise<{ order: Order; isPaid: boolean }> {
  const { order, checkout } = await api.orders.create.mutate(cart)
  if (checkout === null) return { order, isPaid: true }
  const { script, ...options } = checkout
  const Razorpay = await loadRazorpay(script)
  const paid = await new Promise<Paid | null>((resolve) => {
    const dialog = new Razorpay({
      ...options,
      description,
      theme: { color: '#232a63' },
      handler: resolve,
      modal: {
        ondismiss: () => {
          resolve(null)
        },
      },
    })
    dialog.open()
  })
  if (paid === null) return { order, isPaid: false }
  const { razorpay_payment_id, razorpay_order_id, razorpay_signature } = paid
  const proof = { razorpay_payment_id, razorpay_order_id, razorpay_signature }
  try {
    return { order: await api.orders.verify.mutate({ orderId: order.id, ...proof }), isPaid: true }
  } catch (error) {
    // Unheard or failing, the server learns of the payment from Razorpay as well.
    const status = refusalOf(error)?.httpStatus ?? 500
    if (status < 500) throw error
    return { order, isPaid: true }
  }
}

type Razorpay = NonNullable<Window['Razorpay']>
type Paid = Parameters<RazorpayOptions['handler']>[0]

/** Only a page that sells loads Razorpay's script, and only once. */
async function loadRazorpay(src: string): Promise<Razorpay> {
  if (!window.Razorpay) {
    const script = el('script', { src })
    document.head.append(script)
    await new Promise((resolve, reject) => {
      script.addEventListener('load', resolve)
      script.addEventListener('error', () => {
        script.remove()
        reject(new Error('The payment dialog could not be loaded.'))
      })
    })
  }
  if (!window.Razorpay) throw new Error('The payment dialog could not be loaded.')
  return window.Razorpay
}
