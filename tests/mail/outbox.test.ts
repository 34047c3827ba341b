import { beforeAll, describe, expect, it } from 'vitest'
import { countDeadMails, putMail } from '../../src/mail/outbox.ts'
import { jobs } from '../../src/router.ts'
import { runJob, startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

let count = 0
async function putRefund(): Promise<{ to: string; key: string }> {
  count += 1
  const [to, key] = [`reader-${count}@example.test`, `refund:${count}`]
  await putMail(lms.deps, {
    key,
    to,
    template: 'refund',
    data: { name: 'Asha', orderId: '65f000000000000000000001', amountPaise: 49_900 },
  })
  return { to, key }
}

const sendMailsNow = async () => {
  for (const job of jobs) if (job.name === 'send-mails') await runJob(job, lms.deps)
}

const rowOf = (key: string) => lms.db.orm.outbox_mails.where({ key }).first()

describe('the outbox', () => {
  it('sends what was put into it, and then forgets what was in it', async () => {
    const { to, key } = await putRefund()
    expect(lms.smtp.mails(to)).toEqual([])
    await lms.work()
    expect(lms.smtp.mails(to)).toHaveLength(1)
    expect(await rowOf(key)).toMatchObject({ state: 'DONE', attempts: 1, data: {} })
    await lms.work()
    expect(lms.smtp.mails(to)).toHaveLength(1)
  })

  it('takes the same key for the same mail', async () => {
    const { to, key } = await putRefund()
    const again = {
      key,
      to,
      template: 'password-changed',
      data: { name: 'Asha', at: '2026-01-01T00:00:00Z' },
    } as const
    await Promise.all([putMail(lms.deps, again), putMail(lms.deps, again)])
    await lms.work()
    expect(lms.smtp.mails(to)).toHaveLength(1)
    expect(lms.smtp.mails(to)[0]?.subject).toMatch(/Refund/)
  })

  it('tries again later when the server has no time, under the same message id', async () => {
    const { to, key } = await putRefund()
    await lms.smtp.with({ faults: [{ kind: 'code', code: 451 }] }, lms.work)
    expect(lms.smtp.mails(to)).toEqual([])
    expect(await rowOf(key)).toMatchObject({ state: 'WAITING', attempts: 1 })
    await lms.work()
    expect(await rowOf(key)).toMatchObject({ attempts: 1 })
    lms.clock.advance(31)
    await lms.work()
    expect(lms.smtp.mails(to)).toHaveLength(1)
    expect(await rowOf(key)).toMatchObject({ state: 'DONE', attempts: 2, error: null })
  })

  it('takes over what a process left that died while sending', async () => {
    const { to, key } = await putRefund()
    const nextAt = new Date(lms.clock.now().getTime() + 120_000)
    await lms.db.orm.outbox_mails.where({ key }).update({ attempts: 1, nextAt })
    await lms.work()
    expect(lms.smtp.mails(to)).toEqual([])
    lms.clock.advance(121)
    await lms.work()
    expect(lms.smtp.mails(to)).toHaveLength(1)
  })

  it('keeps a record for thirty days', async () => {
    const { key } = await putRefund()
    await lms.work()
    lms.clock.advance(29 * 24 * 3600)
    await lms.work()
    expect(await rowOf(key)).not.toBeNull()
    lms.clock.advance(2 * 24 * 3600)
    await lms.work()
    expect(await rowOf(key)).toBeNull()
  })
})

describe('the outbox gives up', () => {
  it('at once on what the server will never take', async () => {
    const { to, key } = await putRefund()
    await lms.smtp.with({ faults: [{ kind: 'code', code: 550 }] }, lms.work)
    expect(await rowOf(key)).toMatchObject({ state: 'DEAD', attempts: 1, data: {} })
    lms.clock.advance(24 * 3600)
    await lms.work()
    expect(lms.smtp.mails(to)).toEqual([])
  })

  it('after three days, and says so in the log without the address', async () => {
    const { to, key } = await putRefund()
    const dead = await countDeadMails(lms.deps)
    const workFor = async (hours: number) => {
      for (let hour = 0; hour < hours; hour += 1) {
        await sendMailsNow()
        lms.clock.advance(3_601)
      }
    }
    await lms.smtp.with({ faults: [{ kind: 'code', code: 451, times: 1_000 }] }, async () => {
      await workFor(71)
      expect(await rowOf(key)).toMatchObject({ state: 'WAITING' })
      await workFor(2)
    })
    expect(await rowOf(key)).toMatchObject({ state: 'DEAD', data: {} })
    expect(await countDeadMails(lms.deps)).toBe(dead + 1)
    const given = lms.logs().filter((line) => line.includes('mail given up'))
    expect(given.length).toBeGreaterThan(0)
    expect(given.join('\n')).not.toContain(to)
  })

  it('on nothing that it did not try often enough, however old', async () => {
    const { to, key } = await putRefund()
    lms.clock.advance(4 * 24 * 3_600)
    await lms.smtp.with({ faults: [{ kind: 'code', code: 451 }] }, sendMailsNow)
    expect(await rowOf(key)).toMatchObject({ state: 'WAITING', attempts: 1 })
    lms.clock.advance(31)
    await sendMailsNow()
    expect(lms.smtp.mails(to)).toHaveLength(1)
  })

  it('on what it cannot read, and goes on with the rest', async () => {
    lms.expectErrors()
    const broken = await putRefund()
    await lms.db.orm.outbox_mails.where({ key: broken.key }).update({ data: { name: 7 } })
    const { to } = await putRefund()
    await lms.work()
    expect(await rowOf(broken.key)).toMatchObject({ state: 'DEAD' })
    expect(lms.smtp.mails(to)).toHaveLength(1)
  })
})

describe('two instances at once', () => {
  it('send every mail once', async () => {
    const second = await lms.another()
    const mails = []
    for (let at = 0; at < 24; at += 1) mails.push(await putRefund())
    const sending = jobs.filter(({ name }) => name === 'send-mails')
    const everywhere = [lms.deps, second.deps, lms.deps]
    await Promise.all(sending.flatMap((job) => everywhere.map((deps) => runJob(job, deps))))
    for (const { to, key } of mails) {
      expect(lms.smtp.mails(to)).toHaveLength(1)
      expect(await rowOf(key)).toMatchObject({ state: 'DONE', attempts: 1 })
    }
  })
})
