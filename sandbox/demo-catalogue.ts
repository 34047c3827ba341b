import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Outline } from '../examples/authoring.ts'
import { writeCourse } from '../examples/authoring.ts'
import { openSession } from '../examples/session.ts'
import { loadConfig } from '../src/config.ts'
import { openDeps } from '../src/deps.ts'
import { openLog } from '../src/log.ts'
import { serve } from '../src/server.ts'
import { applyContract } from '../prisma/apply.ts'
import { SANDBOX_DIR } from './running.ts'

export const DEMO_PASSWORD = 'a-demo-needs-no-secret'

/** People to try things as; they exist in the sandbox's own database only. */
export const DEMO_PEOPLE = {
  admin: { name: 'Meera Shah', email: 'admin@demo.test' },
  instructor: { name: 'Kavya Nair', email: 'instructor@demo.test' },
  student: { name: 'Arjun Mehta', email: 'student@demo.test' },
}

// There while the catalogue is being made, so that a run that was stopped half-way is told from a finished one.
const UNFINISHED = path.join(SANDBOX_DIR, 'seeding')

/** Fills an empty database through the API itself, on a port nobody knows; one that has people is left alone. */
export async function seedDemo(env: Record<string, string>): Promise<void> {
  const config = loadConfig(env)
  const deps = await openDeps(config, { log: openLog('silent') })
  if (existsSync(UNFINISHED)) {
    await deps.db.driver.dropDatabase()
    await applyContract(config.databaseUrl)
  }
  const people = await deps.db.orm.users.select('_id').limit(1).first()
  if (people) {
    await deps.close()
    return
  }
  await writeFile(UNFINISHED, '')
  const server = await serve(deps, { host: '127.0.0.1', port: 0, jobs: [] })
  try {
    const join = async ({ name, email }: { name: string; email: string }) => {
      const session = openSession(server.url)
      const { id } = await session.api.auth.register.mutate({
        name,
        email,
        password: DEMO_PASSWORD,
      })
      return { session, id }
    }
    const at = deps.now()
    const admin = await join(DEMO_PEOPLE.admin)
    await deps.db.orm.users.where({ _id: admin.id }).update({ role: 'ADMIN', emailVerifiedAt: at })
    const instructor = await join(DEMO_PEOPLE.instructor)
    await admin.session.api.users.setRole.mutate({ userId: instructor.id, role: 'INSTRUCTOR' })
    await join(DEMO_PEOPLE.student)
    for (const outline of CATALOGUE) {
      const id = await writeCourse(instructor.session, outline)
      await instructor.session.api.courses.publish.mutate({ id })
    }
    await rm(UNFINISHED)
  } finally {
    await server.stop()
  }
}

const CATALOGUE: Outline[] = [
  {
    title: 'TypeScript for people in a hurry',
    summary: 'From any to strict in an afternoon, on code you would really write.',
    description:
      '<p>Types that carry their weight: unions, narrowing, generics, and when to stop.</p>',
    category: 'Programming',
    level: 'BEGINNER',
    tags: ['typescript', 'javascript'],
    pricePaise: 79_900,
    cover: 'cover-blue.jpg',
    sections: [
      {
        title: 'Why types',
        lessons: [
          {
            kind: 'TEXT',
            title: 'What a type is for',
            preview: true,
            body: '<p>A type is a promise that the compiler checks.</p>',
          },
          { kind: 'VIDEO', title: 'Narrowing', file: 'lesson.mp4' },
        ],
      },
      {
        title: 'Generics',
        lessons: [
          {
            kind: 'TEXT',
            title: 'One function, many types',
            body: '<p>Let the caller say what it has.</p>',
          },
        ],
      },
    ],
  },
  {
    title: 'Carnatic rhythm, from zero',
    summary: 'Count, clap and keep a tala, with recordings to practise along.',
    description: '<p>Adi tala first; by the end you can follow a whole composition.</p>',
    category: 'Music',
    level: 'INTERMEDIATE',
    tags: ['rhythm', 'carnatic'],
    pricePaise: 129_900,
    cover: 'cover-red.jpg',
    sections: [
      {
        title: 'Adi tala',
        lessons: [
          { kind: 'VIDEO', title: 'Clap along', preview: true, file: 'lesson.mp4' },
          { kind: 'TEXT', title: 'The eight beats', body: '<p>Four, two and two.</p>' },
        ],
      },
    ],
  },
  {
    title: 'Balcony gardening',
    summary: 'Grow your first coriander and tomatoes in pots. Free.',
    description: '<p>Soil, light and water, and not much else.</p>',
    category: 'Home',
    level: 'BEGINNER',
    tags: ['plants'],
    pricePaise: 0,
    cover: 'cover-green.jpg',
    sections: [
      {
        title: 'Begin',
        lessons: [
          {
            kind: 'TEXT',
            title: 'The first pot',
            preview: true,
            body: '<p>Choose one with a hole in it.</p>',
          },
        ],
      },
    ],
  },
]
