import { beforeAll, expect, it } from 'vitest'
import { deliverWebhooks } from '../support/order-checks.ts'
import { aVideoCourse, inBrowser, openShop, register, type OnSale, type Shop } from './shop.ts'

inBrowser('the storefront in a browser', () => {
  let shop: Shop
  let course: OnSale
  beforeAll(async () => {
    shop = await openShop()
    course = await aVideoCourse(shop.lms, 'Films about rivers')
  })

  it('takes a visitor from the catalogue to a completed course', async () => {
    const page = await shop.visit()
    const main = page.getByRole('main')

    const card = page.getByRole('listitem').filter({ hasText: course.title })
    await card.getByText('₹499').waitFor()
    await expect
      .poll(() => page.evaluate('document.querySelector(".card img").naturalWidth'))
      .toBeGreaterThan(0)
    await card.getByRole('link').click()

    await main.getByRole('heading', { name: 'What is in it' }).waitFor()
    expect(await main.getByText('The film').count()).toBe(1)
    expect(await main.getByRole('link', { name: 'The film' }).count()).toBe(0)
    await main.getByRole('link', { name: 'Hello' }).click()
    await main.getByText('Hello, world.').waitFor()
    await main.getByRole('link', { name: 'To the whole course' }).click()

    await main.getByRole('button', { name: 'Buy for ₹499' }).click()
    await main.getByRole('heading', { name: 'Sign in' }).waitFor()
    await main.getByRole('link', { name: 'Register' }).click()
    await register(page)
    await main.getByRole('button', { name: 'Buy for ₹499' }).click()
    await page.getByRole('dialog').getByText('INR 499.00').waitFor()
    await page.getByRole('button', { name: 'Success' }).click()

    await page.getByText('The course is yours').waitFor()
    await main.getByRole('link', { name: 'The film' }).click()
    await main.locator('video').waitFor()
    await expect
      .poll(() => page.evaluate('document.querySelector("video").readyState'))
      .toBeGreaterThanOrEqual(2)
    await page.evaluate('document.querySelector("video").play()')
    await page.getByText('Lesson completed.').waitFor()
    await main.getByText('50%').waitFor()

    await main.getByRole('link', { name: 'Hello' }).click()
    await main.getByRole('button', { name: 'Mark as complete' }).click()
    await page.getByText('you have completed this course').waitFor()
    await page.getByRole('link', { name: 'My courses' }).click()
    await main.getByText('100%').waitFor()

    await page.getByRole('link', { name: 'My orders' }).click()
    await main.locator('[data-status=FULFILLED]').waitFor()
    await main.getByRole('link', { name: course.title }).click()
    const [receipt] = await Promise.all([
      page.waitForEvent('popup'),
      main.getByRole('link', { name: 'Receipt' }).click(),
    ])
    await receipt.getByText(course.title).first().waitFor()
    await deliverWebhooks(shop.lms)
    const enrollments = await shop.lms.db.orm.enrollments.all()
    expect(enrollments.map(({ grants }) => grants.length)).toEqual([1])
  })
})
