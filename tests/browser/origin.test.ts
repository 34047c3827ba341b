import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inBrowser, openShop, register, type Shop } from './shop.ts'

inBrowser('a foreign page in a browser', () => {
  let shop: Shop
  let victim: Page
  // Another port of the same host: the browser sends our cookie along from there.
  const foreign = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Elsewhere</title>')
  })
  beforeAll(async () => {
    shop = await openShop()
    await once(foreign.listen(0, 'localhost'), 'listening')
    victim = await shop.visit('#/register')
    await register(victim)
  })
  afterAll(() => foreign.close())

  const aForeignPage = () =>
    shop.browse(victim.context(), `http://localhost:${(foreign.address() as AddressInfo).port}/`)

  const isSignedIn = async () => {
    await victim.reload()
    await victim.getByRole('heading', { name: 'Learn something' }).waitFor()
    return victim.getByRole('button', { name: 'Sign out' }).isVisible()
  }

  it('can call nothing and read nothing with the cookie', async () => {
    const page = await aForeignPage()
    const call = (init: string) =>
      page.evaluate<string>(
        `fetch(${JSON.stringify(`${shop.apiUrl}/trpc/`)} + ${init}).then((r) => r.text(), String)`,
      )
    const refused = 'TypeError: Failed to fetch'
    const json = `headers: { 'content-type': 'application/json' }`
    expect(await call(`'auth.me', { credentials: 'include' }`)).toBe(refused)
    expect(
      await call(`'auth.logout', { method: 'POST', credentials: 'include', ${json}, body: '{}' }`),
    ).toBe(refused)
    expect(await isSignedIn()).toBe(true)
  })

  it('changes nothing by what a page may send unasked', async () => {
    const page = await aForeignPage()
    const target = `${shop.apiUrl}/trpc/auth.logout`
    const url = JSON.stringify(target)
    const refusal = () => page.waitForResponse((response) => response.url() === target)

    const fetched = refusal()
    await page.evaluate(
      `fetch(${url}, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(String)`,
    )
    expect((await fetched).status()).toBe(403)

    const posted = refusal()
    await page.setContent(`<form method="post" action=${url}></form>`)
    await page.evaluate('document.forms[0].submit()')
    const response = await posted
    expect((await response.request().allHeaders())['cookie']).toMatch(/^session=/)
    expect(response.status()).toBe(403)
    expect(await isSignedIn()).toBe(true)
  })
})
