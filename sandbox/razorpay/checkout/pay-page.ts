/** A page that pays one order by itself; the outcome goes to `callbackUrl`, or is shown. */
export function payPage(orderId: string, keyId: string, callbackUrl: string | null): string {
  const options = {
    key: keyId,
    order_id: orderId,
    ...(isWebUrl(callbackUrl) ? { callback_url: callbackUrl } : {}),
  }
  // Inside a script element only `<` could end the script early.
  const json = JSON.stringify(options).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sandbox payment</title>
<h1>Sandbox payment</h1>
<p>Order <code>${orderId}</code></p>
<pre id="outcome"></pre>
<script src="/checkout.js"></script>
<script>
  const options = ${json}
  const show = (outcome) => {
    document.getElementById('outcome').textContent = JSON.stringify(outcome, null, 2)
  }
  options.handler = show
  options.modal = { ondismiss: () => show({ closed: true }) }
  new Razorpay(options).on('payment.failed', show).open()
</script>
</html>
`
}

function isWebUrl(url: string | null): url is string {
  return url !== null && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}
