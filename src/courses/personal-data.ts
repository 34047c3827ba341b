import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { PersonalData } from '../personal-data.ts'

// Nobody would answer to the students of a course whose author is gone.
async function requireDeletable({ db }: Uses<'db'>, ownerId: string): Promise<void> {
  const published = await db.orm.courses.where({ ownerId, status: 'PUBLISHED' }).first()
  if (published) throw new DomainError('HAS_PUBLISHED_COURSES')
}

/** An author's courses stay: students have paid for them. */
export const coursesData = { lists: {}, requireDeletable } satisfies PersonalData
