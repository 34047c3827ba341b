import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { withinTime } from '../src/deadline.ts'

const never = new Promise<never>(() => undefined)
const refuse = () => {
  throw new Error('too late')
}
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

it('answers as the work does while there is time, and leaves no timer behind', async () => {
  const before = timers()
  expect(await withinTime(Promise.resolve(7), 60_000, refuse)).toBe(7)
  await expect(withinTime(Promise.reject(new Error('no')), 60_000, refuse)).rejects.toThrow('no')
  expect(timers()).toBe(before)
})

it('answers what stands for the work when the time is over, or throws it', async () => {
  expect(await withinTime(never, 5, () => 'late')).toBe('late')
  await expect(withinTime(never, 5, refuse)).rejects.toThrow('too late')
})

it('is not troubled by work that fails afterwards', async () => {
  const failing = sleep(20).then(() => Promise.reject(new Error('afterwards')))
  expect(await withinTime(failing, 5, () => 'late')).toBe('late')
  await sleep(30)
})
