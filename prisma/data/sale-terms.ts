// December 2026: every line of an order carries the terms it was sold under. Of those sold before, nobody noted
// them: they take the terms of their course as it is at the migration, and from then on keep them.
import { ObjectId, type Db } from 'mongodb'
import type { DataMigration } from './migrate.ts'
import { UNCHECKED } from './unchecked.ts'

const WITHOUT = { lines: { $elemMatch: { refundDays: { $exists: false } } } }
// What a course had that did not say otherwise, for one that is gone.
const USUAL = { refundDays: 7, refundMaxPercent: 30, sections: [] }

type Terms = { refundDays: number; refundMaxPercent: number; sections: { lessons: unknown[] }[] }

export const saleTerms: DataMigration = {
  name: 'sale-terms',
  isDue: async (db) => (await db.collection('orders').findOne(WITHOUT)) !== null,
  steps: (db) => [() => writeTerms(db)],
}

async function writeTerms(db: Db): Promise<void> {
  const ids = (await db.collection('orders').distinct('lines.courseId', WITHOUT)) as string[]
  for (const courseId of ids) {
    const course = await db
      .collection<Terms>('courses')
      .findOne(
        { _id: new ObjectId(courseId) },
        { projection: { refundDays: 1, refundMaxPercent: 1, sections: 1 } },
      )
    const { refundDays, refundMaxPercent, sections } = course ?? USUAL
    const lessonCount = sections.reduce((sum, { lessons }) => sum + lessons.length, 0)
    await db.collection('orders').updateMany(
      { 'lines.courseId': courseId },
      {
        $set: {
          'lines.$[line].refundDays': refundDays,
          'lines.$[line].refundMaxPercent': refundMaxPercent,
          'lines.$[line].lessonCount': lessonCount,
        },
      },
      {
        arrayFilters: [{ 'line.courseId': courseId, 'line.refundDays': { $exists: false } }],
        ...UNCHECKED,
      },
    )
  }
}
