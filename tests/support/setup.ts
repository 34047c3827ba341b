import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest'
import { beginTest, endFile, endTest } from './closing.ts'
import { forgetSecrets } from './secrets.ts'

// The product writes to its log; whatever reaches the console was not meant to.
const complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')]

beforeEach(beginTest)

afterEach(async () => {
  await endTest()
  for (const complaint of complaints) {
    expect(complaint.mock.calls).toEqual([])
    complaint.mockClear()
  }
})

afterAll(async () => {
  await endFile()
  forgetSecrets()
})
