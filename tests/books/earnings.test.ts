import { beforeAll, describe, expect, it } from 'vitest'
import { partsOf } from '../../src/books/reversals.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { anOrder, aSale, pay, payWithoutWebhooks } from '../support/builders/orders.ts'
import { anAdmin, anInstructor } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, deliverWebhooks } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('earnings', () => {
  it('are gross, refunds and net of each course and day', async () => {
    const owner = await anInstructor(lms)
    const { course: one } = await aPublishedCourse(lms, { owner, pricePaise: 30_000 })
    const { course: two } = await aPublishedCourse(lms, { owner, pricePaise: 20_000 })
    const other = await aPublishedCourse(lms, { pricePaise: 70_000 })
    const sale = await aSale(lms, { courseIds: [one.id, two.id, other.course.id] })
    await aSale(lms, { courseIds: [one.id] })
    const { api } = await anAdmin(lms)
    const line = sale.order.lines.find(({ courseId }) => courseId === two.id)?.no ?? 0
    await api.refunds.create.mutate({ orderId: sale.order.id, lines: [line] })
    lms.clock.advance(5)
    const mine = await owner.api.earnings.mine.query({})
    expect(mine).toMatchObject({ grossPaise: 80_000, refundPaise: 20_000, netPaise: 60_000 })
    expect(mine.days.map(({ courseId, sold, netPaise }) => [courseId, sold, netPaise])).toEqual(
      [
        [one.id, 2, 60_000],
        [two.id, 1, 0],
      ].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    )
    const all = await api.earnings.byInstructor.query({})
    expect(all.find(({ instructorId }) => instructorId === owner.user.id)).toEqual({
      instructorId: owner.user.id,
      name: owner.user.name,
      ...mine,
    })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('share a refund of no line in particular over all of them, to the paisa', async () => {
    const owner = await anInstructor(lms)
    const { course: one } = await aPublishedCourse(lms, { owner, pricePaise: 10_000 })
    const { course: two } = await aPublishedCourse(lms, { owner, pricePaise: 5_000 })
    const sale = await aSale(lms, { courseIds: [one.id, two.id] })
    const { api } = await anAdmin(lms)
    await api.refunds.create.mutate({ orderId: sale.order.id, amountPaise: 1_000 })
    lms.clock.advance(5)
    const { days, refundPaise } = await owner.api.earnings.mine.query({})
    expect(refundPaise).toBe(1_000)
    expect(days.map((day) => day.refundPaise).sort((a, b) => a - b)).toEqual([334, 666])
  })

  it('share what the dashboard gave back over what was left of each line', async () => {
    const owner = await anInstructor(lms)
    const { course: one } = await aPublishedCourse(lms, { owner, pricePaise: 30_000 })
    const { course: two } = await aPublishedCourse(lms, { owner, pricePaise: 30_000 })
    const sale = await aSale(lms, { courseIds: [one.id, two.id] })
    const { api } = await anAdmin(lms)
    await api.refunds.create.mutate({ orderId: sale.order.id, lines: [one.id] })
    lms.clock.advance(5)
    lms.razorpay.refund(sale.paymentId)
    await deliverWebhooks(lms)
    lms.clock.advance(5)
    const { days, netPaise } = await owner.api.earnings.mine.query({})
    expect(days.map((day) => [day.refundPaise, day.netPaise])).toEqual([
      [30_000, 0],
      [30_000, 0],
    ])
    expect(netPaise).toBe(0)
    await expectSound(lms)
  })

  it('go down by a dispute that was lost, on the day it was lost', async () => {
    const owner = await anInstructor(lms)
    const { course } = await aPublishedCourse(lms, { owner, pricePaise: 30_000 })
    const sale = await aSale(lms, { courseIds: [course.id] })
    const dispute = lms.razorpay.openDispute({ paymentId: sale.paymentId })
    await deliverWebhooks(lms)
    lms.clock.advance(2 * 24 * 3_600)
    const { api } = await anInstructor(lms)
    const netOf = async () => {
      await owner.api.auth.login.mutate({ email: owner.user.email, password: owner.password })
      const { days } = await owner.api.earnings.mine.query({})
      return days.map(({ netPaise, refundPaise }) => [refundPaise, netPaise])
    }
    expect(await netOf()).toEqual([[0, 30_000]])
    lms.razorpay.moveDispute(dispute.id, 'lost')
    await deliverWebhooks(lms)
    lms.clock.advance(5)
    expect(await netOf()).toEqual([
      [0, 30_000],
      [30_000, -30_000],
    ])
    expect((await api.earnings.mine.query({})).days).toEqual([])
    await expectSound(lms)
  })

  it('of a line never go below nothing, whatever was given back in which order', () => {
    const at = new Date(0)
    const lines = [30_000, 20_000].map((amountPaise, i) => ({
      no: i + 1,
      courseId: `course ${i + 1}`,
      title: '',
      listPaise: amountPaise,
      discountPaise: 0,
      amountPaise,
      refundDays: 7,
      refundMaxPercent: 30,
      lessonCount: 1,
      gstPercent: null,
      sac: null,
    }))
    const parts = partsOf({ lines }, [
      { at, amountPaise: 1_000, lineNos: [] },
      { at, amountPaise: 30_000, lineNos: ['1'] },
      { at, amountPaise: 50_000, lineNos: [] },
    ])
    expect(parts.map(({ paise }) => paise)).toEqual([600, 400, 29_400, 600, 0, 19_000])
  })

  it('leave a second payment out, with its refund', async () => {
    const owner = await anInstructor(lms)
    const { course } = await aPublishedCourse(lms, { owner, pricePaise: 10_000 })
    const opened = await anOrder(lms, { courseIds: [course.id] })
    pay(lms, opened, { outcome: 'double' })
    await deliverWebhooks(lms)
    lms.clock.advance(5)
    const mine = await owner.api.earnings.mine.query({ courseId: course.id })
    expect(mine).toMatchObject({ grossPaise: 10_000, refundPaise: 0 })
  })

  it('are nobody else’s to see', async () => {
    const { course } = await aPublishedCourse(lms, { pricePaise: 10_000 })
    const other = await anInstructor(lms)
    await refused(other.api.earnings.mine.query({ courseId: course.id }), 'NOT_FOUND')
    await refused(other.api.earnings.byInstructor.query({}), 'FORBIDDEN')
  })

  it('take a period of up to a year', async () => {
    const { api } = await anInstructor(lms)
    const to = lms.clock.now()
    const from = new Date(to.getTime() - 400 * 86_400_000)
    await refused(api.earnings.mine.query({ period: { from, to } }), 'INVALID_INPUT')
  })
})

describe("the administrators' figures", () => {
  it('count revenue, and say who found the payments', async () => {
    const { api } = await anAdmin(lms)
    const before = await api.admin.stats.query()
    await aSale(lms, { pricePaise: 10_000 })
    const after = await api.admin.stats.query()
    expect(after.revenue.grossPaise - before.revenue.grossPaise).toBe(10_000)
    expect(after.orders['FULFILLED']).toBe((before.orders['FULFILLED'] ?? 0) + 1)
    expect(after.webhooks).toMatchObject({ dead: 0, isSilent: false })
  })

  it('raise the alarm when payments come and webhooks do not', async () => {
    const opened = await anOrder(lms)
    lms.clock.advance(20 * 60)
    payWithoutWebhooks(lms, opened)
    lms.clock.advance(61)
    await lms.work()
    lms.clock.advance(31 * 60)
    const { api } = await anAdmin(lms)
    const { webhooks, shareFoundByPoll } = await api.admin.stats.query()
    expect(webhooks.isSilent).toBe(true)
    expect(webhooks.ageSeconds).toBeGreaterThan(31 * 60)
    expect(shareFoundByPoll).toBeGreaterThan(0)
  })
})
