import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { deliverWebhooks } from '../support/order-checks.ts'
import { aVideoCourse, inBrowser, openShop, register, type OnSale, type Shop } from './shop.ts'

inBrowser('paying in a browser', () => {
  let shop: Shop
  let course: OnSale
  beforeAll(async () => {
    shop = await openShop()
    course = await aVideoCourse(shop.lms, 'Films about mountains')
  })

  /** A new buyer before the open payment dialog. */
  async function aBuyer(): Promise<{ page: Page; userId: string }> {
    const page = await shop.visit(`#/register?next=/courses/${course.slug}`)
    const email = await register(page)
    await page.getByRole('button', { name: 'Buy for' }).click()
    await page.getByRole('dialog').waitFor()
    const user = await shop.lms.db.orm.users.where({ email }).first()
    return { page, userId: user?._id ?? '' }
  }

  const ordersOf = (userId: string) => shop.lms.db.orm.orders.where({ userId }).all()

  it('goes on with the same order when the dialog was closed', async () => {
    const { page, userId } = await aBuyer()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByText('You can pay this order until').waitFor()
    const [open] = await ordersOf(userId)
    expect(open?.status).toBe('CREATED')

    await page.getByRole('button', { name: 'Buy for' }).click()
    await page.getByRole('button', { name: 'Success' }).click()
    await page.getByText('The course is yours').waitFor()
    const orders = await ordersOf(userId)
    expect(orders.map(({ _id, status }) => [_id, status])).toEqual([[open?._id, 'FULFILLED']])
  })

  it('can be done later, from the list of orders', async () => {
    const { page } = await aBuyer()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('link', { name: 'My orders' }).click()
    await page.getByText('Not paid yet').waitFor()
    await page.getByRole('link', { name: course.title }).click()
    await page.getByRole('button', { name: 'Pay now' }).click()
    await page.getByRole('button', { name: 'Success' }).click()
    await page.getByText('The course is yours').waitFor()
    await page.locator('[data-status=FULFILLED]').waitFor()
  })

  it('succeeds in the same dialog after it has failed', async () => {
    const { page, userId } = await aBuyer()
    await page.getByRole('button', { name: 'Failure' }).click()
    await page.getByRole('dialog').getByText('Try again').waitFor()
    await deliverWebhooks(shop.lms)
    expect((await ordersOf(userId)).map(({ status }) => status)).toEqual(['CREATED'])

    await page.getByRole('button', { name: 'Success' }).click()
    await page.getByText('The course is yours').waitFor()
    await deliverWebhooks(shop.lms)
    expect((await ordersOf(userId)).map(({ status }) => status)).toEqual(['FULFILLED'])
    const orderId = (await ordersOf(userId))[0]?._id ?? ''
    const payments = await shop.lms.db.orm.payments.where({ orderId }).all()
    expect(payments.map(({ status }) => status).sort()).toEqual(['captured', 'failed'])
  })

  it('reaches the course when the page is gone before it can say that it has paid', async () => {
    const { page, userId } = await aBuyer()
    await page.route('**/trpc/orders.verify*', (route) => route.abort())
    await page.getByRole('button', { name: 'Success' }).click()
    await page.getByText('Your payment is being confirmed').waitFor()
    await deliverWebhooks(shop.lms)
    expect((await ordersOf(userId)).map(({ status }) => status)).toEqual(['FULFILLED'])
    await page.locator('[data-status=FULFILLED]').waitFor()
  })
})
