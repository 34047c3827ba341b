import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'

type Of = { courseId: string; lessonId: string }

export async function putText(
  { db }: Uses<'db'>,
  { courseId, lessonId }: Of,
  body: string,
): Promise<void> {
  await db.orm.lesson_texts
    .where({ lessonId })
    .upsert({ create: { courseId, lessonId, body }, update: { body } })
}

/** Called after the lessons have left the outline, where nobody can reach these rows any more. */
export async function removeContents({ db }: Uses<'db'>, lessonIds: string[]): Promise<void> {
  if (lessonIds.length === 0) return
  const ofLessons = { lessonId: { $in: lessonIds } }
  await Promise.all(
    ['lesson_texts', 'quizzes', 'quiz_keys'].map((name) =>
      db.driver.collection(name).deleteMany(ofLessons, { maxTimeMS: 5_000 }),
    ),
  )
}

export type Contents = {
  texts: Map<string, string>
  /** Media by id, of whatever state. */
  media: Map<string, { state: string; purpose: string }>
  quizzes: Set<string>
}

/** Everything that belongs to a course's lessons but is kept beside it. */
export async function contentsOf({ db }: Uses<'db'>, courseId: string): Promise<Contents> {
  const [texts, media, quizzes] = await Promise.all([
    db.orm.lesson_texts.where({ courseId }).all(),
    db.driver
      .collection('media')
      .find({ courseId }, { projection: { state: 1, purpose: 1 }, maxTimeMS: 5_000 })
      .map((row) => {
        const { _id, state, purpose } = row as { _id: ObjectId; state: string; purpose: string }
        return [_id.toHexString(), { state, purpose }] as const
      })
      .toArray(),
    db.driver
      .collection('quizzes')
      .distinct(
        'lessonId',
        { courseId: new ObjectId(courseId), 'questions.0': { $exists: true } },
        { maxTimeMS: 5_000 },
      ),
  ])
  return {
    texts: new Map(texts.map(({ lessonId, body }) => [lessonId, body])),
    media: new Map(media),
    quizzes: new Set(quizzes.map(String)),
  }
}
