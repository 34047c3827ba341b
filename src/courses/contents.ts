import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'

type LessonKey = { courseId: string; lessonId: string }

/** Stores a lesson's text, which was sanitized on its way in. */
export async function putLessonText(
  { db }: Uses<'db'>,
  { courseId, lessonId }: LessonKey,
  body: string,
): Promise<void> {
  await db.orm.lesson_texts
    .where({ lessonId })
    .upsert({ create: { courseId, lessonId, body }, update: { body } })
}

/**
 * Removes texts, quizzes and answer keys of lessons that have left the outline: nobody can reach them any
 * more.
 */
export async function removeLessonContents({ db }: Uses<'db'>, lessonIds: string[]): Promise<void> {
  if (lessonIds.length === 0) return
  const ofLessons = { lessonId: { $in: lessonIds } }
  await Promise.all(
    ['lesson_texts', 'quizzes', 'quiz_keys'].map((name) =>
      db.driver.collection(name).deleteMany(ofLessons),
    ),
  )
}

export type Contents = {
  /** The lessons that have a text with something in it. */
  texts: Set<string>
  /** Media by id, of whatever state. */
  media: Map<string, { state: string; purpose: string }>
  quizzes: Set<string>
}

type MediaRow = { _id: ObjectId; courseId: string; state: string; purpose: string }

/**
 * Which of a course's lessons have a text, media or a quiz; the texts themselves are not read, however long.
 */
export async function findContents({ db }: Uses<'db'>, courseId: string): Promise<Contents> {
  const ofCourse = { courseId: new ObjectId(courseId) }
  const [texts, media, quizzes] = await Promise.all([
    db.driver.collection('lesson_texts').distinct('lessonId', { ...ofCourse, body: { $ne: '' } }),
    db.driver
      .collection<MediaRow>('media')
      .find({ courseId }, { projection: { state: 1, purpose: 1 } })
      .map(({ _id, state, purpose }) => [_id.toHexString(), { state, purpose }] as const)
      .toArray(),
    db.driver
      .collection('quizzes')
      .distinct('lessonId', { ...ofCourse, 'questions.0': { $exists: true } }),
  ])
  return {
    texts: new Set(texts.map(String)),
    media: new Map(media),
    quizzes: new Set(quizzes.map(String)),
  }
}

/** Lesson id → text, for every text of a course. */
export async function findLessonTexts(
  { db }: Uses<'db'>,
  courseId: string,
): Promise<Map<string, string>> {
  const texts = await db.orm.lesson_texts.where({ courseId }).all()
  return new Map(texts.map(({ lessonId, body }) => [lessonId, body]))
}
