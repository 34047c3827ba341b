import { spawn } from 'node:child_process'
import path from 'node:path'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { databaseUrl } from '../../sandbox/mongo/start.ts'
import { aLearner, aQuizCourse, type Examined } from '../support/builders/learning.ts'
import { aDraft } from '../support/builders/courses.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { visitorAt, type Visitor } from '../support/client.ts'
import { environmentOf, startLms, type Lms } from '../support/harness.ts'
import { PROCEDURES } from '../support/procedures.ts'

const KB = 1024
const MB = 1024 * KB
/** What any one answer may have, whatever was asked for and however much there is. */
const MOST = 5 * MB

let lms: Lms
let author: Person
let learner: Person
let admin: Person
let large: { courseId: string; lessonId: string }
let examined: Examined

const id = () => new ObjectId()
const at = () => new Date()
const many = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n))

/** Everything as large as the limits of inputs let anybody make it, in as many rows as a page has. */
beforeAll(async () => {
  lms = await startLms()
  examined = await aQuizCourse(lms)
  author = examined.owner
  learner = await aLearner(lms, examined)
  admin = await anAdmin(lms)
  large = await fillCourses()
  await Promise.all([fillLearner(), fillAudit()])
}, 300_000)

async function fillCourses(): Promise<{ courseId: string; lessonId: string }> {
  const written = await aDraft(lms, { owner: author })
  const { driver } = lms.db
  const found = await driver.collection('courses').findOne({ _id: new ObjectId(written.course.id) })
  const lessons = many(200, () => ({
    id: id().toHexString(),
    title: 'क'.repeat(120),
    kind: 'TEXT',
    preview: true,
    bytes: 80 * KB,
  }))
  const outline = many(4, (n) => ({
    id: id().toHexString(),
    title: `Part ${n}`,
    lessons: lessons.slice(n * 50, n * 50 + 50),
  }))
  const description = '&amp;'.repeat(4_000)
  const copies = many(100, (n) => ({
    ...found,
    _id: id(),
    slug: `large-${n}`,
    description,
    sections: [...outline, ...outline, ...outline, ...outline],
    createdAt: new Date(Date.now() - n),
  }))
  await driver.collection('courses').insertMany(copies)
  const _id = new ObjectId(written.course.id)
  await driver.collection('courses').updateOne({ _id }, { $set: { sections: outline } })
  const body = '"'.repeat(80 * KB)
  for (const lesson of lessons)
    await driver
      .collection('lesson_texts')
      .insertOne({ courseId: _id, lessonId: lesson.id, body, revision: 1 })
  return { courseId: written.course.id, lessonId: lessons[0]?.id ?? '' }
}

async function fillLearner(): Promise<void> {
  const { driver } = lms.db
  const userId = new ObjectId(learner.user.id)
  const reviews = many(2_000, (n) => ({
    courseId: n < 100 ? new ObjectId(examined.courseId) : id(),
    userId: n < 100 ? id() : userId,
    rating: 5,
    body: 'क'.repeat(2_000),
    createdAt: new Date(Date.now() - n),
    updatedAt: at(),
  }))
  await driver.collection('reviews').insertMany(reviews)
  const text = (bytes: number) => 'x'.repeat(bytes)
  const attempts = many(100, (n) => ({
    userId,
    courseId: new ObjectId(examined.courseId),
    lessonId: examined.quizId,
    number: n + 1,
    questions: many(90, () => ({
      id: id().toHexString(),
      kind: 'TEXT',
      prompt: text(2 * KB),
      points: 1,
      options: [],
    })),
    passPercent: 60,
    answers: many(60, () => ({
      questionId: id().toHexString(),
      optionIds: [],
      text: text(2 * KB),
    })),
    startedAt: at(),
    deadlineAt: null,
    submittedAt: at(),
    score: 0,
    maxScore: 90,
    passed: false,
  }))
  await driver.collection('quiz_attempts').insertMany(attempts)
}

async function fillAudit(): Promise<void> {
  const facts = Object.fromEntries(many(20, (n) => [`field ${n}`, 'x'.repeat(500)]))
  const entries = lms.db.driver.collection('audit_entries')
  const entry = await entries.findOne({})
  await entries.insertMany(
    many(500, (n) => ({
      ...entry,
      _id: id(),
      before: facts,
      after: facts,
      at: new Date(Date.now() - n),
    })),
  )
}

/** Fits whatever a query takes: unknown fields are dropped. */
const inputs = () => ({
  limit: 100,
  courseId: large.courseId,
  lessonId: large.lessonId,
  id: large.courseId,
  slug: 'large-1',
  userId: learner.user.id,
  instructorId: author.user.id,
})
const ofQuiz = () => ({ limit: 100, courseId: examined.courseId, lessonId: examined.quizId })

async function ask(who: Visitor, name: string, input: object): Promise<Response> {
  const json = JSON.stringify({ json: input })
  return who.fetch(`/trpc/${name}?input=${encodeURIComponent(json)}`)
}

describe('an answer', () => {
  it('of any query, to anybody, is a few megabytes at most', async () => {
    const sizes: [string, number][] = []
    const answered = new Set<string>()
    for (const { name } of PROCEDURES.filter(({ isQuery }) => isQuery))
      for (const who of [learner, author, admin])
        for (const input of [inputs(), ofQuiz()]) {
          const response = await ask(who, name, input)
          const bytes = (await response.arrayBuffer()).byteLength
          if (response.status === 200) answered.add(name)
          if (bytes > MOST || response.status >= 500) sizes.push([name, bytes])
        }
    expect(sizes).toEqual([])
    // Of what was made large here, everything was read.
    const filled = ['courses.authoring', 'courses.mine', 'courses.bySlug', 'courses.authoredLesson']
    const others = ['quizzes.attempts', 'quizzes.result', 'reviews.list', 'account.export']
    for (const name of [...filled, ...others, 'admin.audit', 'lessons.open'])
      expect(answered).toContain(name)
  }, 300_000)
})

describe('a course that is too large for one answer', () => {
  it('shows its author the outline, and says so, and each lesson by itself', async () => {
    const { api } = author
    const course = await api.courses.authoring.query({ courseId: large.courseId })
    expect(course.contentsOmitted).toBe(true)
    const lessons = course.sections.flatMap((section) => section.lessons)
    expect(lessons).toHaveLength(200)
    expect(lessons.every(({ body }) => body === null)).toBe(true)
    const lesson = await api.courses.authoredLesson.query(large)
    expect(lesson.body).toHaveLength(80 * KB)
    const small = await api.courses.authoring.query({ courseId: examined.courseId })
    expect(small.contentsOmitted).toBe(false)
    expect(small.sections[0]?.lessons.some(({ body }) => body !== null)).toBe(true)
    expect(small.sections[0]?.lessons.some(({ quiz }) => quiz !== null)).toBe(true)
  })

  it('is found in the list of its author, page by page, each once', async () => {
    const found: string[] = []
    let pages = 0
    let cursor: string | undefined
    do {
      const page = await author.api.courses.mine.query({ limit: 100, ...(cursor && { cursor }) })
      expect(page.items.length).toBeGreaterThan(0)
      found.push(...page.items.map((course) => course.id))
      cursor = page.nextCursor ?? undefined
      pages += 1
    } while (cursor !== undefined)
    expect(new Set(found).size).toBe(found.length)
    expect(found.length).toBe(102)
    expect(pages).toBeGreaterThan(2)
  })
})

type Exported = { reviews: unknown[]; complete: boolean; user: unknown }

describe('an export', () => {
  it('is cut where it has too much for one answer, and says so', async () => {
    const cut = await learner.api.account.export.query()
    expect(cut.complete).toBe(false)
    expect(cut.reviews.length).toBeLessThan(1_900)
    const whole = await author.api.account.export.query()
    expect(whole.complete).toBe(true)
  })

  it('is had whole as a file, by whoever it is about', async () => {
    const response = await learner.fetch('/exports/account')
    expect(response.headers.get('content-disposition')).toContain('attachment')
    const file = (await response.json()) as Exported
    expect(file.reviews).toHaveLength(1_900)
    expect(file.complete).toBe(true)
    const cut = await learner.api.account.export.query()
    expect(Object.keys(file).sort()).toEqual(Object.keys(cut).sort())
    expect(file.user).toMatchObject({ email: learner.user.email })
    expect((await lms.visitor().fetch('/exports/account')).status).toBe(401)
    expect((await learner.fetch('/exports/account', { method: 'POST' })).status).toBe(405)
  })
})

describe('a process with little memory', () => {
  it('outlives sixteen at once who ask for the largest there is, again and again', async () => {
    const url = await startSmall()
    const asked = [
      ...many(4, () => [author, 'courses.authoring', inputs()] as const),
      ...many(4, () => [author, 'courses.mine', inputs()] as const),
      ...many(4, () => [learner, 'account.export', {}] as const),
      ...many(4, () => [learner, 'quizzes.attempts', ofQuiz()] as const),
    ]
    const statuses: number[] = []
    for (let round = 0; round < 3; round += 1)
      await Promise.all(
        asked.map(async ([who, name, input]) => {
          const response = await ask(visitorAt(url, who), name, input)
          expect((await response.arrayBuffer()).byteLength).toBeLessThan(MOST)
          statuses.push(response.status)
        }),
      )
    expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([])
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(10)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  }, 300_000)
})

/** The real process on this database, with a heap in which sixteen courses do not fit. */
async function startSmall(): Promise<string> {
  const database = databaseUrl(inject('mongoUrl'), lms.db.driver.databaseName)
  const env = { ...environmentOf(lms, database), SMTP_URL: 'smtp://127.0.0.1:9' }
  const child = spawn(process.execPath, ['--max-old-space-size=192', path.resolve('src/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      if (output.length > 10_000) return
      output += chunk.toString()
      const url = /"url":"(http:[^"]+)".*"msg":"listening"/.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', () => {
      reject(new Error(`it did not start: ${output}`))
    })
  })
}
