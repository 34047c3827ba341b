import { mediaFile, writeCourse } from './authoring.ts'
import { ensureServer } from './server.ts'
import { openSession } from './session.ts'
import { expect, refusal, step } from './steps.ts'

const url = process.env['APP_URL'] ?? 'http://localhost:4000'
const server = await ensureServer(url)
try {
  await journey()
  console.log('\nEvery step went as it should.')
} catch (error) {
  console.error(
    `\nThe journey ended early: ${error instanceof Error ? error.message : String(error)}`,
  )
  process.exitCode = 1
} finally {
  await server.stop()
}

async function journey(): Promise<void> {
  const run = Date.now().toString(36)
  const admin = openSession(url)
  const instructor = openSession(url)
  const student = openSession(url)
  const stranger = openSession(url)
  const password = `pass-${run}-phrase`

  console.log('\nAn instructor publishes a course')
  const vikram = await step('registers', () =>
    instructor.api.auth.register.mutate({
      name: 'Vikram Iyer',
      email: `vikram.${run}@demo.test`,
      password,
    }),
  )
  await step('is refused: a student may not create courses', () =>
    refusal(instructor.api.courses.create.mutate({ title: 'Not yet' }), 'FORBIDDEN'),
  )
  await step('is made an instructor by the administrator', async () => {
    await admin.api.auth.login.mutate({
      email: 'admin@demo.test',
      password: 'a-demo-needs-no-secret',
    })
    return admin.api.users.setRole.mutate({ userId: vikram.id, role: 'INSTRUCTOR' })
  })
  const courseId = await step(
    'writes two sections with a video and texts, and uploads the files',
    () =>
      writeCourse(instructor, {
        title: `Sanskrit by ear ${run}`,
        summary: 'Hear, repeat and read your first hundred words.',
        description: '<p>A course made by the demo, to be bought by the demo a moment later.</p>',
        category: 'Languages',
        level: 'BEGINNER',
        tags: ['sanskrit', 'listening'],
        pricePaise: 49_900,
        cover: 'cover-blue.jpg',
        sections: [
          {
            title: 'Listening',
            lessons: [{ kind: 'TEXT', title: 'Welcome', preview: true, body: '<p>Namaste!</p>' }],
          },
          {
            title: 'Repeating',
            lessons: [{ kind: 'TEXT', title: 'Notes', body: '<p>Say it aloud.</p>' }],
          },
        ],
      }),
  )
  const unfinished = await step(
    'adds a video lesson without its video; publishing says what is missing',
    async () => {
      const [section] = (await instructor.api.courses.authoring.query({ courseId })).sections
      const lesson = await instructor.api.courses.addLesson.mutate({
        courseId,
        sectionId: section?.id ?? '',
        title: 'First words',
        kind: 'VIDEO',
      })
      await refusal(instructor.api.courses.publish.mutate({ id: courseId }), 'COURSE_NOT_READY')
      return lesson
    },
  )
  const course = await step('uploads the video, and publishes', async () => {
    const file = await mediaFile('lesson.mp4', 'video/mp4')
    const { mediaId } = await instructor.upload('lesson-video', file, courseId)
    await instructor.api.courses.updateLesson.mutate({ courseId, lessonId: unfinished.id, mediaId })
    return instructor.api.courses.publish.mutate({ id: courseId })
  })
  const paidLesson = { courseId, lessonId: unfinished.id }

  console.log('\nA visitor looks around')
  await step('finds the course in the catalogue', async () => {
    const { items } = await stranger.api.courses.list.query({ q: run })
    expect(
      items.some(({ id }) => id === courseId),
      'the course is not in the catalogue',
    )
  })
  await step('reads the outline and the preview lesson', async () => {
    const outline = await stranger.api.courses.bySlug.query({ slug: course.slug })
    expect(!JSON.stringify(outline).includes('cloudinary'), 'the outline shows where the media is')
    const preview = outline.sections
      .flatMap(({ lessons }) => lessons)
      .find((lesson) => lesson.preview)
    const opened = await stranger.api.lessons.open.query({ courseId, lessonId: preview?.id ?? '' })
    expect(opened.kind === 'TEXT' && opened.text.includes('Namaste'), 'the preview does not open')
  })
  await step('is refused the paid lesson', () =>
    refusal(stranger.api.lessons.open.query(paidLesson), 'UNAUTHENTICATED'),
  )

  console.log('\nA student buys it')
  await step('registers', () =>
    student.api.auth.register.mutate({
      name: 'Asha Rao',
      email: `asha.${run}@demo.test`,
      password,
    }),
  )
  await step('is refused the paid lesson', () =>
    refusal(student.api.lessons.open.query(paidLesson), 'NOT_ENROLLED'),
  )
  const { order, checkout } = await step('orders; the server names the price', () =>
    student.api.orders.create.mutate({ courseIds: [courseId] }),
  )
  expect(checkout !== null && checkout.amount === 49_900, 'the order has another price')
  const paid = await step('pays ₹499 in Razorpay’s dialog (the sandbox’s)', () =>
    payInSandbox(checkout.script, checkout.order_id),
  )
  await step('brings the three fields back: the order is fulfilled', async () => {
    const verified = await student.api.orders.verify.mutate({ orderId: order.id, ...paid })
    expect(verified.status === 'FULFILLED', `the order is ${verified.status}`)
  })
  await step(
    'brings them ten times more, and Razorpay’s webhook comes too: one enrollment',
    async () => {
      await Promise.all(
        Array.from({ length: 10 }, () =>
          student.api.orders.verify.mutate({ orderId: order.id, ...paid }),
        ),
      )
      const { items } = await student.api.enrollments.mine.query({})
      expect(items.length === 1, `there are ${items.length} enrollments`)
    },
  )
  await step('someone else is refused the order', async () => {
    const other = openSession(url)
    await other.api.auth.register.mutate({ name: 'Ravi', email: `ravi.${run}@demo.test`, password })
    await refusal(other.api.orders.verify.mutate({ orderId: order.id, ...paid }), 'NOT_FOUND')
    await refusal(other.api.lessons.open.query(paidLesson), 'NOT_ENROLLED')
  })

  console.log('\nThe student learns')
  await step('opens the paid lesson and plays its first bytes', async () => {
    const opened = await student.api.lessons.open.query(paidLesson)
    if (opened.kind !== 'VIDEO') throw new Error('the lesson is no video')
    const response = await fetch(opened.playback.url, { headers: { range: 'bytes=0-11' } })
    const start = Buffer.from(await response.arrayBuffer()).toString('latin1')
    expect(response.ok && start.includes('ftyp'), `the video does not play (${response.status})`)
    const altered = await fetch(opened.playback.url.replace(/expires_at=\d/, 'expires_at=9'))
    expect(!altered.ok, 'an altered link plays')
  })
  await step('completes it, and reads the course’s progress', async () => {
    await student.api.progress.complete.mutate(paidLesson)
    const { percent } = await student.api.progress.get.query({ courseId })
    expect(percent === 33, `progress is ${percent} %`)
    return `${percent} %`
  })
  await step('the books are sound: no invariant is broken', async () => {
    const violations = await admin.api.admin.invariants.query()
    expect(violations.length === 0, JSON.stringify(violations))
  })
}

/** Plays the buyer at the sandbox's Razorpay; in a browser, checkout.js does this. */
async function payInSandbox(script: string, gatewayOrderId: string) {
  const response = await fetch(new URL('/_control/pay', script), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orderId: gatewayOrderId, outcome: 'success' }),
  })
  if (!response.ok) throw new Error(`the sandbox’s Razorpay answered ${response.status}`)
  const { checkout } = (await response.json()) as { checkout: PaidFields }
  return checkout
}

type PaidFields = Record<'razorpay_payment_id' | 'razorpay_order_id' | 'razorpay_signature', string>
