import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import { uploaded } from '../support/builders/media.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PNG } from '../support/media-files.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

async function acts(target: string) {
  const { items } = await admin.api.admin.audit.query({ target, limit: 100 })
  return items.map(({ act, after, actorId }) => [act, after, actorId]).reverse()
}

describe('what an administrator does to the course of another', () => {
  it('is written down, change by change', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const { id } = course
    const { courses } = admin.api
    await courses.update.mutate({ id, pricePaise: 100 })
    await courses.updateLesson.mutate({ courseId: id, lessonId, title: 'Another' })
    await courses.updateSection.mutate({ courseId: id, sectionId, title: 'Another' })
    await courses.publish.mutate({ id })
    await courses.archive.mutate({ id })
    await owner.api.courses.update.mutate({ id, summary: 'The owner’s own' })
    const administered = (verb: string) => [
      'courses.administered',
      { procedure: `courses.${verb}` },
      admin.user.id,
    ]
    expect(await acts(`course:${id}`)).toEqual(
      ['update', 'updateLesson', 'updateSection', 'publish', 'archive'].map(administered),
    )
  })

  it('is not when it was only read, or refused', async () => {
    const { course } = await aDraft(lms)
    await admin.api.courses.authoring.query({ courseId: course.id })
    const nothing = { courseId: course.id, sectionId: 'f'.repeat(24), title: 'x' }
    await refused(admin.api.courses.updateSection.mutate(nothing), 'NOT_FOUND')
    expect(await acts(`course:${course.id}`)).toEqual([])
  })

  it('is written down for a file that is removed, once', async () => {
    const { course, owner } = await aDraft(lms)
    const path = `/uploads/course-image?courseId=${course.id}`
    const own = await uploaded(owner, path, PNG)
    await owner.api.media.remove.mutate({ mediaId: own.mediaId })
    const theirs = await uploaded(owner, path, PNG)
    for (const { mediaId } of [theirs, theirs])
      await admin.api.media.remove.mutate({ mediaId }).catch(() => null)
    expect(await acts(`media:${theirs.mediaId}`)).toEqual([['media.removed', null, admin.user.id]])
    expect(await acts(`media:${own.mediaId}`)).toEqual([])
  })
})
