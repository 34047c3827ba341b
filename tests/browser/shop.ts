import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterEach, describe, expect, vi } from 'vitest'
import { serveStorefront } from '../../examples/storefront/serve.ts'
import { aDraft } from '../support/builders/courses.ts'
import { uploaded } from '../support/builders/media.ts'
import type { Person } from '../support/builders/people.ts'
import { closeAfterwards } from '../support/closing.ts'
import { startLms, type Lms } from '../support/harness.ts'

const CHROMIUM = '/usr/bin/chromium'
// Nothing of it may call home: tests run without a network.
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
]

// A browser takes its time where other tests run beside it.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isThere = await access(CHROMIUM, constants.X_OK).then(
  () => true,
  () => false,
)

/** Tests that need a browser; without one they are left out, and say why. */
const faults: string[] = []

export function inBrowser(what: string, tests: () => void): void {
  if (isThere) {
    describe(what, () => {
      afterEach(() => {
        expect(faults.splice(0)).toEqual([])
      })
      tests()
    })
  } else describe.skip(`${what}: left out, for there is no ${CHROMIUM} here`, tests)
}

export type Shop = {
  lms: Lms
  /** Where the page is served, on the same site as the API. */
  origin: string
  apiUrl: string
  /** A new visitor's page, with cookies of its own; whatever goes wrong in it fails the test. */
  visit: (hash?: string) => Promise<Page>
  /** A page of this visitor's browser that is not ours, with the same cookies. */
  browse: (context: BrowserContext, url: string) => Promise<Page>
}

/** The product and the storefront in a browser, until the file ends. */
export async function openShop(): Promise<Shop> {
  const cacheDir = await mkdtemp(path.join(os.tmpdir(), 'gurukul-vite-'))
  let apiUrl = ''
  const storefront = await serveStorefront({
    port: 0,
    settings: () => ({ apiUrl, demoAccounts: [] }),
    cacheDir,
  })
  const lms = await startLms({ env: { CLIENT_ORIGINS: storefront.origin } })
  // Cookies know hosts and no ports: both must be called the same.
  apiUrl = lms.url.replace('127.0.0.1', 'localhost')
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  closeAfterwards(async () => {
    await browser.close()
    await storefront.close()
    await rm(cacheDir, { recursive: true, force: true })
  })

  const open = async (context: BrowserContext, url: string) => {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => faults.push(String(error)))
    await page.goto(url)
    return page
  }
  return {
    lms,
    origin: storefront.origin,
    apiUrl,
    visit: async (hash = '') => open(await browser.newContext(), `${storefront.origin}/${hash}`),
    browse: open,
  }
}

export type OnSale = { slug: string; title: string; owner: Person }

/** On sale with a picture: a text as preview, then a video. */
export async function aVideoCourse(lms: Lms, title: string): Promise<OnSale> {
  const { course, owner, sectionId, lessonId } = await aDraft(lms, { title })
  const courseId = course.id
  const media = path.resolve(import.meta.dirname, '../../examples/media')
  const image = await readFile(path.join(media, 'cover-red.jpg'))
  await uploaded(owner, `/uploads/course-image?courseId=${courseId}`, image)
  const video = await readFile(path.join(media, 'lesson.mp4'))
  const { mediaId } = await uploaded(owner, `/uploads/lesson-video?courseId=${courseId}`, video)
  await owner.api.courses.updateLesson.mutate({ courseId, lessonId, preview: true })
  const lesson = { courseId, sectionId, title: 'The film', kind: 'VIDEO', mediaId } as const
  await owner.api.courses.addLesson.mutate(lesson)
  const { slug } = await owner.api.courses.publish.mutate({ id: courseId })
  return { slug, title, owner }
}

/** Registers in the page, from wherever it has been led to. */
export async function register(page: Page, name = 'Asha Rao'): Promise<string> {
  const email = `${crypto.randomUUID()}@example.test`
  const main = page.getByRole('main')
  await main.getByRole('heading', { name: 'Register' }).waitFor()
  await main.getByLabel('Name').fill(name)
  await main.getByLabel('E-mail').fill(email)
  await main.getByLabel('Password').fill('grey otter sings at noon')
  await main.getByRole('button', { name: 'Register' }).click()
  await page.getByText(`Welcome, ${name}.`).waitFor()
  return email
}
