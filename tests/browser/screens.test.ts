import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import {
  aCourse,
  aLearner,
  aPayingLearner,
  aQuizCourse,
  type Taught,
} from '../support/builders/learning.ts'
import type { Person } from '../support/builders/people.ts'
import { aVideoCourse, inBrowser, openShop, type Shop } from './shop.ts'

const HOSTILE = `<img src=x onerror="window.hacked = 1"><script>window.hacked = 2</script>`

inBrowser('the screens in a browser', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await openShop()
  })

  /** The page as someone who is signed in already sees it. */
  async function visitAs(person: Person, path: string): Promise<Page> {
    const page = await shop.visit('#/sign-in')
    const [name = '', value = ''] = person.cookie().split('=')
    await page.context().addCookies([{ name, value, url: shop.apiUrl }])
    await page.goto(`${shop.origin}${path}`)
    await page.reload()
    return page
  }

  const lessonPath = ({ course }: Taught, lessonId: string) =>
    `/#/courses/${course.slug}/lessons/${lessonId}`

  it('say what is wrong beside the field it is about', async () => {
    const page = await shop.visit('#/register')
    await page.getByLabel('Name').fill('Asha')
    await page.getByLabel('E-mail').fill('asha@example.test')
    await page.getByLabel('Password').fill('password')
    await page.getByRole('main').getByRole('button', { name: 'Register' }).click()
    await page.getByText('This password is too easy to guess.').waitFor()
    const password = page.getByLabel('Password')
    expect(await password.getAttribute('aria-invalid')).toBe('true')
    expect(await page.evaluate('document.activeElement.name')).toBe('password')
  })

  it('show a quiz, hand it in and tell its result', async () => {
    const examined = await aQuizCourse(shop.lms)
    const learner = await aLearner(shop.lms, examined)
    const page = await visitAs(learner, lessonPath(examined, examined.quizId))
    await page.getByRole('button', { name: 'Start the quiz' }).click()
    await page.getByLabel('One').check()
    await page.getByLabel('&T').check()
    await page.getByLabel('&mut T').check()
    await page.getByLabel('Your answer').fill('drop')
    await page.getByRole('button', { name: 'Hand in' }).click()
    await page.getByText('Passed: 6 of 6 points').waitFor()
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByText('Completed', { exact: true }).waitFor()
  })

  it('ask for a new link when the film’s own is refused', async () => {
    const { slug, owner } = await aVideoCourse(shop.lms, 'Films about lakes')
    let refusals = 0
    const page = await visitAs(owner, `/#/courses/${slug}`)
    await page.route('**/download?*', async (route) => {
      refusals += 1
      if (refusals === 1) await route.fulfill({ status: 401 })
      else await route.continue()
    })
    await page.getByRole('link', { name: 'The film' }).click()
    await expect
      .poll(() => page.evaluate('document.querySelector("video")?.duration'))
      .toBeGreaterThan(3)
    expect(refusals).toBeGreaterThan(1)
  })

  it('take the plain paths that mails link to', async () => {
    const { course } = await aCourse(shop.lms)
    const page = await shop.visit(`courses/${course.slug}`)
    await page.getByRole('heading', { name: 'What is in it' }).waitFor()
    await page.goto(`${shop.origin}/verify-email?token=nothing`)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('This link is no longer valid.').waitFor()
  })

  it('run nothing that people wrote, even if the server had let it through', async () => {
    const taught = await aCourse(shop.lms)
    const { courseId, course, lessonIds } = taught
    const learner = await aPayingLearner(shop.lms, taught, 'Asha Rao')
    await learner.api.reviews.put.mutate({ courseId, rating: 4, body: HOSTILE })
    const { courses, lesson_texts } = shop.lms.db.orm
    const changes = { title: HOSTILE, summary: HOSTILE, description: HOSTILE, category: HOSTILE }
    await courses.where({ _id: courseId }).update({ ...changes, imageUrl: 'javascript:hacked=3' })
    const body = `${HOSTILE}<p onclick="hacked=4">Read <a href="javascript:hacked=5">this</a></p>`
    await lesson_texts.where({ lessonId: lessonIds[0] ?? '' }).update({ body })

    const page = await visitAs(learner, `/#/courses/${course.slug}`)
    await page.getByRole('heading', { name: HOSTILE }).waitFor()
    await page.getByRole('listitem').getByText(HOSTILE).waitFor()
    await page.getByRole('link', { name: 'Hello' }).click()
    await page.getByText('Read').click()
    await page.getByText('this', { exact: true }).click()
    await page.getByRole('link', { name: 'My courses' }).click()
    await page.getByRole('heading', { name: 'My courses' }).waitFor()
    expect(await page.evaluate('typeof window.hacked')).toBe('undefined')
    expect(await page.locator('[onerror], [onclick], [href^="javascript:"]').count()).toBe(0)
  })

  it('fit a phone', async () => {
    const taught = await aCourse(shop.lms)
    const learner = await aLearner(shop.lms, taught, 'A Learner With Quite a Long Name Indeed')
    await learner.api.orders.create.mutate({ courseIds: [(await aCourse(shop.lms)).courseId] })
    const [order] = (await learner.api.orders.mine.query({})).items
    const page = await visitAs(learner, '/')
    await page.setViewportSize({ width: 375, height: 700 })
    const lesson = lessonPath(taught, taught.lessonIds[0] ?? '').slice(2)
    const course = `/courses/${taught.course.slug}`
    const paths = ['/', course, lesson, '/my-courses', '/my-orders', `/orders/${order?.id}`]
    for (const path of [...paths, '/sign-in', '/register']) {
      await page.goto(`${shop.origin}/#${path}`)
      await page.reload()
      await page.locator('main:not([aria-busy]) h1').waitFor()
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([
        path,
        375,
      ])
    }
  })
})
