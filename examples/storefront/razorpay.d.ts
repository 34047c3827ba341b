// What this page uses of Razorpay's checkout.js.
type RazorpayOptions = {
  key: string
  order_id: string
  amount: number
  currency: string
  name: string
  description?: string
  prefill: { name: string; email: string }
  theme?: { color: string }
  /** Seconds until the dialog closes by itself. */
  timeout: number
  handler: (paid: {
    razorpay_payment_id: string
    razorpay_order_id: string
    razorpay_signature: string
  }) => void
  modal: { ondismiss: () => void }
}

interface Window {
  Razorpay?: new (options: RazorpayOptions) => { open: () => void }
}
