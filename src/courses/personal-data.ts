import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { PersonalData } from '../personal-data.ts'
import { ON_SALE } from './shelf.ts'

// Nobody would answer to the students of a course whose author is gone. What is off the shelf its author cannot
// unpublish, and needs not.
async function requireDeletable({ db }: Uses<'db'>, ownerId: string): Promise<void> {
  const published = await db.driver
    .collection('courses')
    .findOne({ ownerId: new ObjectId(ownerId), ...ON_SALE }, { projection: { _id: 1 } })
  if (published) throw new DomainError('HAS_PUBLISHED_COURSES')
}

/** An author's courses stay: students have paid for them. */
export const coursesData = { lists: {}, requireDeletable } satisfies PersonalData
