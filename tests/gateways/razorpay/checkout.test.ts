import vm from 'node:vm'
import { expect, test } from 'vitest'
import { KEY_ID, startShop } from './shop.ts'

type Press = () => void
type Page = { buttons: Map<string, Press>; Razorpay: new (options: object) => Checkout }
type Checkout = { on: (name: string, listener: (answer: unknown) => void) => Checkout; open: Press }

/** Just enough of a browser for the script: elements that can be appended, clicked and removed. */
async function openPage(url: string): Promise<Page> {
  const script = await (await fetch(`${url}/checkout.js`)).text()
  const buttons = new Map<string, Press>()
  const createElement = () => {
    const dataset: Record<string, string> = {}
    return {
      dataset,
      style: {},
      setAttribute: () => undefined,
      appendChild: () => undefined,
      remove: () => {
        buttons.clear()
      },
      addEventListener: (_: string, press: Press) => buttons.set(dataset['outcome'] ?? '', press),
    }
  }
  const window: Record<string, unknown> = {}
  const document = {
    currentScript: { src: `${url}/checkout.js` },
    createElement,
    body: { appendChild: () => undefined },
  }
  vm.runInNewContext(script, { window, document, fetch, URL, setTimeout, clearTimeout })
  return { buttons, Razorpay: window['Razorpay'] as Page['Razorpay'] }
}

const ORDER = { amountPaise: 500, currency: 'INR', receipt: 'r-1' }

test('the dialog pays an order and hands the three signed fields to the handler', async () => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  const { buttons, Razorpay } = await openPage(sandbox.url)
  const answer = await new Promise<Record<string, string>>((handler) => {
    new Razorpay({ key: KEY_ID, order_id: order.id, handler }).open()
    buttons.get('success')?.()
  })
  expect(Object.keys(answer)).toEqual([
    'razorpay_payment_id',
    'razorpay_order_id',
    'razorpay_signature',
  ])
  expect(
    gateway.isCheckoutSignature(
      order.id,
      answer['razorpay_payment_id'] ?? '',
      answer['razorpay_signature'],
    ),
  ).toBe(true)
  expect(await gateway.fetchOrder(order.id)).toMatchObject({ status: 'paid' })
  expect(buttons.size).toBe(0)
})

test('a failure is told to payment.failed, and the dialog stays open for another try', async () => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  const { buttons, Razorpay } = await openPage(sandbox.url)
  const failed = await new Promise((listener) => {
    new Razorpay({ key: KEY_ID, order_id: order.id }).on('payment.failed', listener).open()
    buttons.get('fail')?.()
  })
  expect(failed).toMatchObject({
    error: { code: 'BAD_REQUEST_ERROR', metadata: { order_id: order.id } },
  })
  expect(buttons.has('success')).toBe(true)
})

test('closing the dialog calls ondismiss and pays nothing', async () => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  const { buttons, Razorpay } = await openPage(sandbox.url)
  await new Promise((ondismiss) => {
    new Razorpay({ key: KEY_ID, order_id: order.id, modal: { ondismiss } }).open()
    buttons.get('close')?.()
  })
  expect(await gateway.paymentsOfOrder(order.id)).toEqual({ items: [], unreadable: [] })
})

test('the script and its calls are open to every origin, the controls to none', async () => {
  const { sandbox } = await startShop()
  const script = await fetch(`${sandbox.url}/checkout.js`, { headers: { Origin: 'https://a.in' } })
  expect(script.headers.get('access-control-allow-origin')).toBe('*')
  const control = await fetch(`${sandbox.url}/_control/ledger`, {
    headers: { Origin: 'https://a.in' },
  })
  expect(control.status).toBe(404)
})

test('the dialog of another key pays nothing', async () => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  const answer = await fetch(`${sandbox.url}/checkout/pay`, {
    method: 'POST',
    body: JSON.stringify({ key: 'rzp_test_other', order_id: order.id, outcome: 'success' }),
  })
  expect(answer.status).toBe(401)
  expect(await gateway.fetchOrder(order.id)).toMatchObject({ status: 'created' })
})

test('the hosted page opens checkout for its order and takes only web addresses to return to', async () => {
  const { sandbox, gateway } = await startShop()
  const { id } = await gateway.createOrder(ORDER)
  const page = async (callback: string) => {
    const query = new URLSearchParams({ callback_url: callback }).toString()
    return (await fetch(`${sandbox.url}/pay/${id}?${query}`)).text()
  }
  expect(await page('https://a.in/back')).toContain(`"callback_url":"https://a.in/back"`)
  expect(await page('javascript:alert(1)')).not.toContain('callback_url')
  expect(await page('https://a.in/</script>')).not.toContain('a.in/</script>')
  expect((await fetch(`${sandbox.url}/pay/order_00000000000000`)).status).toBe(400)
})
