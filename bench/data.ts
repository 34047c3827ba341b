import { createHash } from 'node:crypto'
import { MongoClient, ObjectId } from 'mongodb'

export const TOKEN = 'benchmarkbenchmarkbenchmarkbenchmarkbenc'

/** A catalogue of `size` published courses, one instructor, and one signed-in student. */
export async function fill(databaseUrl: string, size: number): Promise<void> {
  const client = new MongoClient(databaseUrl)
  const db = client.db()
  const at = new Date()
  const user = (name: string, role: string) => ({
    _id: new ObjectId(),
    email: `${name}@bench.test`,
    name,
    passwordHash: 'none',
    role,
    createdAt: at,
    updatedAt: at,
  })
  const instructor = user('instructor', 'INSTRUCTOR')
  const student = user('student', 'STUDENT')
  await db.collection('users').insertMany([instructor, student])
  const later = new Date(at.getTime() + 24 * 60 * 60 * 1000)
  await db.collection('sessions').insertOne({
    tokenHash: createHash('sha256').update(TOKEN).digest('hex'),
    userId: student._id,
    createdAt: at,
    lastUsedAt: at,
    passwordAt: at,
    expiresAt: new Date(at.getTime() + 13 * 24 * 60 * 60 * 1000),
    absoluteExpiresAt: new Date(later.getTime() + 60 * 24 * 60 * 60 * 1000),
  })
  await db.collection('courses').insertMany(
    Array.from({ length: size }, (_, n) => ({
      slug: `course-${n}`,
      ownerId: instructor._id,
      status: 'PUBLISHED',
      title: `Course number ${n}`,
      summary: 'What you will learn here, said in a sentence or two that fit on a card.',
      description: 'A longer text about the course. '.repeat(20),
      category: 'programming',
      level: 'BEGINNER',
      language: 'en',
      pricePaise: 49_900,
      currency: 'INR',
      tags: ['typescript', 'mongodb'],
      refundDays: 7,
      refundMaxPercent: 30,
      sections: [],
      version: 1,
      ratingSum: 9,
      ratingCount: 2,
      publishedAt: new Date(at.getTime() - n * 1000),
      createdAt: at,
      updatedAt: at,
    })),
  )
  await client.close()
}
