/** Stands in for checkout.js: the same options and callbacks, a dialog instead of a bank. */
export const CHECKOUT_SCRIPT = String.raw`(function () {
  'use strict'
  var base = new URL(document.currentScript.src).origin

  function element(tag, style, text) {
    var made = document.createElement(tag)
    made.style.cssText = style
    if (text !== undefined) made.textContent = text
    return made
  }

  function post(url, fields) {
    var form = element('form', 'display:none')
    form.method = 'POST'
    form.action = url
    Object.keys(fields).forEach(function (name) {
      var input = document.createElement('input')
      input.name = name
      input.value = fields[name]
      form.appendChild(input)
    })
    document.body.appendChild(form)
    form.submit()
  }

  function Razorpay(options) {
    if (!(this instanceof Razorpay)) return new Razorpay(options)
    if (!options || !options.key) throw new Error('No key passed')
    this.options = options
    this.listeners = {}
  }

  Razorpay.prototype.on = function (name, listener) {
    (this.listeners[name] = this.listeners[name] || []).push(listener)
    return this
  }

  Razorpay.prototype.tell = function (name, answer) {
    (this.listeners[name] || []).forEach(function (listener) { listener(answer) })
  }

  Razorpay.prototype.close = function () {
    clearTimeout(this.timer)
    if (this.dialog) this.dialog.remove()
    this.dialog = null
  }

  Razorpay.prototype.dismiss = function (reason) {
    var modal = this.options.modal || {}
    this.close()
    if (typeof modal.ondismiss === 'function') modal.ondismiss(reason)
  }

  Razorpay.prototype.open = function () {
    var self = this
    var options = this.options
    var prefill = options.prefill || {}
    var failures = 0
    var shade = element('div',
      'position:fixed;inset:0;z-index:2147483647;background:rgba(0,0,0,.5);display:flex;' +
      'align-items:center;justify-content:center;font:16px system-ui,sans-serif')
    var box = element('div',
      'background:#fff;color:#111;border-radius:12px;padding:24px;width:320px;max-width:90vw')
    box.setAttribute('role', 'dialog')
    box.setAttribute('aria-label', 'Sandbox payment')
    var amount = element('p', 'font-size:24px;margin:8px 0', '…')
    var note = element('p', 'min-height:1.5em;color:#b00;margin:8px 0', '')
    box.appendChild(element('strong', '', options.name || 'Sandbox payment'))
    box.appendChild(element('p', 'margin:4px 0;color:#555', options.description || 'No money moves here.'))
    box.appendChild(amount)
    box.appendChild(note)

    function button(outcome, label, colour, press) {
      var made = element('button',
        'display:block;width:100%;margin-top:8px;padding:10px;border:0;border-radius:8px;' +
        'font:inherit;color:#fff;cursor:pointer;background:' + colour, label)
      made.type = 'button'
      made.dataset.outcome = outcome
      made.addEventListener('click', press)
      box.appendChild(made)
    }

    function succeed(answer) {
      self.close()
      if (options.callback_url) post(options.callback_url, answer)
      else if (typeof options.handler === 'function') options.handler(answer)
    }

    function fail(error) {
      failures += 1
      note.textContent = error.description || 'The payment failed.'
      self.tell('payment.failed', { error: error })
      var retry = options.retry || {}
      var mayRetry = retry.enabled !== false && !(failures > retry.max_count)
      if (options.callback_url && !mayRetry) {
        post(options.callback_url, {
          'error[code]': error.code, 'error[description]': error.description, 'error[field]': '',
        })
      } else if (!mayRetry) self.dismiss('failed')
    }

    function press(outcome) {
      fetch(base + '/checkout/pay', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          key: options.key, order_id: options.order_id, outcome: outcome,
          email: prefill.email, contact: prefill.contact,
        }),
      }).then(function (response) { return response.json() }).then(function (answer) {
        if (answer.razorpay_payment_id) succeed(answer)
        else fail(typeof answer.error === 'object' ? answer.error : { description: String(answer.error) })
      }, function () { note.textContent = 'The sandbox does not answer.' })
    }

    button('success', 'Success', '#0a7a3d', function () { press('success') })
    button('fail', 'Failure', '#b3261e', function () { press('fail') })
    button('close', 'Close', '#555', function () { self.dismiss() })
    shade.appendChild(box)
    document.body.appendChild(shade)
    this.dialog = shade
    if (options.timeout) {
      this.timer = setTimeout(function () { self.dismiss('timeout') }, options.timeout * 1000)
    }
    fetch(base + '/checkout/order/' + encodeURIComponent(options.order_id)).then(function (response) {
      return response.json()
    }).then(function (order) {
      if (order.error) note.textContent = order.error.description
      else amount.textContent = order.currency + ' ' + (order.amount / 100).toFixed(2)
    }, function () { note.textContent = 'The sandbox does not answer.' })
  }

  window.Razorpay = Razorpay
})()
`
