import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'

/** A lesson, and the version of its course that counts the bytes of what is stored for it. */
export type ContentKey = { courseId: string; lessonId: string; revision: number }

/** Stores a lesson's text, which was sanitized on its way in. */
export function putLessonText(deps: Uses<'db'>, key: ContentKey, body: string): Promise<void> {
  return putContent(deps, 'lesson_texts', { ...key, body })
}

/**
 * Stores the content of a lesson, unless that of a later version is there: what stays is what the course has
 * counted.
 */
export async function putContent(
  { db }: Uses<'db'>,
  collection: 'lesson_texts' | 'quizzes',
  { courseId, lessonId, revision, ...content }: ContentKey & Record<string, unknown>,
): Promise<void> {
  const isOlder = { $or: [{ revision: null }, { revision: { $lt: revision } }] }
  try {
    await db.driver
      .collection(collection)
      .updateOne(
        { lessonId, ...isOlder },
        { $set: { courseId: new ObjectId(courseId), ...content, revision } },
        { upsert: true },
      )
  } catch (error) {
    // The lesson's own key, which is unique: a later version is there.
    if (!isDuplicateKey(error)) throw error
  }
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

/** Lesson id → text, of those among these lessons that have one. */
export async function findLessonTexts(
  { db }: Uses<'db'>,
  lessonIds: string[],
): Promise<Map<string, string>> {
  if (lessonIds.length === 0) return new Map()
  const texts = await db.orm.lesson_texts.where(MongoFieldFilter.in('lessonId', lessonIds)).all()
  return new Map(texts.map(({ lessonId, body }) => [lessonId, body]))
}
