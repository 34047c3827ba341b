import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../builders.ts'
import { aCourse, aSale, expectSound, isIn, settle } from '../builders-orders.ts'
import { refused } from '../client.ts'
import { startLms, type Lms } from '../harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

async function aSaleOfTwo() {
  const courseIds = [await aCourse(lms, 30_000), await aCourse(lms, 20_000)]
  return aSale(lms, { courseIds })
}

const lineOf = ({ order }: Awaited<ReturnType<typeof aSale>>, amountPaise: number) =>
  order.lines.find((line) => line.amountPaise === amountPaise) ?? { no: 0, courseId: '' }

describe('a buyer who wants the money back', () => {
  it('gets it within the days of the course, for one of its courses', async () => {
    const sale = await aSaleOfTwo()
    const { courseId } = lineOf(sale, 20_000)
    const { api } = sale.buyer
    const refund = await api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    expect(refund).toMatchObject({ amountPaise: 20_000, cause: 'student' })
    await settle(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    expect(await isIn(sale.buyer, lineOf(sale, 30_000).courseId)).toBe(true)
    await expectSound(lms)
  })

  it('does not once the days are over', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    await lms.db.orm.courses.where({ _id: courseId }).update({ refundDays: 0 })
    lms.clock.advance(60)
    const call = sale.buyer.api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await refused(call, 'REFUND_WINDOW_OVER')
  })

  it('does not after having done more than thirty per cent', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const course = await lms.db.orm.courses.where({ _id: courseId }).first()
    const lessonId = course?.sections[0]?.lessons[0]?.id ?? ''
    await sale.buyer.api.progress.complete.mutate({ courseId, lessonId })
    const call = sale.buyer.api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await refused(call, 'REFUND_TOO_MUCH_WATCHED')
    expect(await isIn(sale.buyer, courseId)).toBe(true)
  })

  it("does not get another's", async () => {
    const sale = await aSale(lms)
    const thief = await aStudent(lms)
    const input = { orderId: sale.order.id, courseId: sale.courseIds[0] ?? '' }
    await refused(thief.api.orders.requestRefund.mutate(input), 'NOT_FOUND')
  })
})
