import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openCloudinary } from '../../../src/gateways/cloudinary/client.ts'
import type { Notification } from '../../../src/gateways/cloudinary/links.ts'
import { PNG } from '../../support/media-files.ts'
import { openStudio } from './fixtures.ts'

const { sandbox, cloudinary, clock } = await openStudio()

let received: Notification[] = []
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    received.push({
      rawBody: Buffer.concat(chunks),
      timestamp: String(request.headers['x-cld-timestamp']),
      signature: String(request.headers['x-cld-signature']),
    })
    response.end()
  })
})
receiver.listen(0, '127.0.0.1')
await once(receiver, 'listening')
const notificationUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
afterAll(() => {
  receiver.close()
})
beforeEach(() => {
  received = []
})

async function uploadFromBrowser(publicId: string): Promise<void> {
  const { url, fields } = cloudinary.signUpload({
    publicId,
    resourceType: 'image',
    deliveryType: 'upload',
    notificationUrl,
  })
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(PNG)]), 'x')
  await fetch(url, { method: 'POST', body: form })
  await sandbox.settle()
}

async function notification(): Promise<Notification> {
  await uploadFromBrowser(`told/${randomUUID()}`)
  const [first] = received
  if (!first) throw new Error('No notification came')
  return first
}

test('an upload is told with a signature that holds', async () => {
  const told = await notification()
  expect(cloudinary.isNotificationSignature(told)).toBe(true)
  expect(JSON.parse(told.rawBody.toString())).toMatchObject({
    notification_type: 'upload',
    type: 'upload',
    bytes: 70,
  })
})

test('a lost one does not come and a doubled one comes twice', async () => {
  await sandbox.with({ faults: [{ on: 'notification', kind: 'drop' }] }, () =>
    uploadFromBrowser('lost'),
  )
  expect(received).toHaveLength(0)
  await sandbox.with({ faults: [{ on: 'notification', kind: 'duplicate' }] }, () =>
    uploadFromBrowser('doubled'),
  )
  expect(received.map((told) => cloudinary.isNotificationSignature(told))).toEqual([true, true])
})

describe('a notification is refused', () => {
  test('when another secret signed it', async () => {
    const forged = await sandbox.with(
      { faults: [{ on: 'notification', kind: 'forge' }] },
      notification,
    )
    expect(cloudinary.isNotificationSignature(forged)).toBe(false)
  })

  test('when a byte of it changed', async () => {
    const told = await notification()
    const rawBody = Buffer.from(told.rawBody.toString().replace('"bytes":70', '"bytes":71'))
    expect(cloudinary.isNotificationSignature({ ...told, rawBody })).toBe(false)
  })

  test.each(['', 'x', '0'.repeat(40), 'é'.repeat(40), '0'.repeat(64)])(
    'with the signature %j',
    async (signature) => {
      const told = await notification()
      expect(cloudinary.isNotificationSignature({ ...told, signature })).toBe(false)
    },
  )

  test.each(['', 'NaN', '-1', '1e9', '9'.repeat(16)])('with the time %j', async (timestamp) => {
    const told = await notification()
    expect(cloudinary.isNotificationSignature({ ...told, timestamp })).toBe(false)
  })

  test('when it is more than two hours old or from the future', async () => {
    const told = await notification()
    clock.advance(2 * 3600 + 5)
    expect(cloudinary.isNotificationSignature(told)).toBe(false)
    clock.advance(-2 * 3600 - 5)
    expect(cloudinary.isNotificationSignature(told)).toBe(true)
    clock.advance(-3600)
    expect(cloudinary.isNotificationSignature(told)).toBe(false)
    clock.advance(3600)
  })
})

test("the vendor's published signature holds", () => {
  const published = {
    rawBody:
      '{"public_id":"b8sjhoslj8cq8ovoa0ma","version":"1555337587","width":1000,"height":800}',
    timestamp: '7952342400000',
    signature: '6c5a29fd8815772fbac2f10ae741e093d0859313947ef8fadeb29126ded6649c',
  }
  const account = openCloudinary({
    url: 'cloudinary://key:hardcoded@cloud?signature_algorithm=sha256',
    now: () => new Date(7952342400000 * 1000),
  })
  expect(account.isNotificationSignature(published)).toBe(true)
  expect(account.isNotificationSignature({ ...published, timestamp: '7952342400001' })).toBe(false)
})

test('an account that is limited to SHA-256 takes no other signature', async () => {
  const told = await notification()
  const limited = openCloudinary({
    url: `${sandbox.cloudinaryUrl}&signature_algorithm=sha256`,
    now: clock.now,
  })
  expect(cloudinary.isNotificationSignature(told)).toBe(true)
  expect(limited.isNotificationSignature(told)).toBe(false)
})
