import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import { uploaded } from '../support/builders/media.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { mp4, PDF } from '../support/media-files.ts'

const DAY = 24 * 3600

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const stateOf = async (mediaId: string) =>
  (await lms.db.orm.media.where({ _id: mediaId }).first())?.state

/** A draft with an uploaded film that no lesson names yet. */
async function aFilm() {
  const { course, sectionId, owner } = await aDraft(lms)
  const courseId = course.id
  const path = `/uploads/lesson-video?courseId=${courseId}`
  const { mediaId } = await uploaded(owner, path, mp4(30))
  const stored = await lms.db.orm.media.where({ _id: mediaId }).first()
  const attach = () =>
    owner.api.courses.addLesson.mutate({
      ...{ courseId, sectionId, title: 'Film', kind: 'VIDEO' as const, mediaId },
    })
  const isKept = () => lms.cloudinary.find(stored?.publicId ?? '') !== undefined
  return { courseId, sectionId, owner, mediaId, attach, isKept }
}

/** Sets the last change of a file back, so that its owner stays signed in. */
async function aged(mediaId: string, days: number) {
  const updatedAt = new Date(lms.clock.now().getTime() - days * DAY * 1000)
  await lms.db.orm.media.where({ _id: mediaId }).update({ updatedAt })
}

async function sweepLater(seconds: number) {
  lms.clock.advance(seconds)
  await lms.work()
}

describe('a file that no lesson references', () => {
  it('is removed a month after it was last referenced, and no sooner', async () => {
    const film = await aFilm()
    const { courseId, owner, mediaId } = film
    const { id: lessonId } = await film.attach()
    await aged(mediaId, 40)
    await lms.work()
    expect(await stateOf(mediaId)).toBe('READY')
    await owner.api.courses.removeLesson.mutate({ courseId, lessonId })
    await lms.work()
    expect(await stateOf(mediaId)).toBe('READY')
    await aged(mediaId, 29)
    await lms.work()
    expect(await stateOf(mediaId)).toBe('READY')
    await aged(mediaId, 31)
    await lms.work()
    expect([await stateOf(mediaId), film.isKept()]).toEqual(['UNUSED', true])
    await sweepLater(11 * 60)
    expect([await stateOf(mediaId), film.isKept()]).toEqual(['REMOVED', false])
    await sweepLater(11 * 60)
    lms.clock.advance(2 * 3600)
    await lms.work()
    expect(await stateOf(mediaId)).toBeUndefined()
  })

  it('goes when its section does, and not before those that are referenced', async () => {
    const film = await aFilm()
    const { courseId, owner } = film
    const path = `/uploads/lesson-file?courseId=${courseId}`
    const handout = await uploaded(owner, path, PDF)
    const { id: sectionId } = await owner.api.courses.addSection.mutate({ courseId, title: 'Two' })
    const file = { courseId, sectionId, title: 'Read', kind: 'FILE' as const }
    await owner.api.courses.addLesson.mutate({ ...file, mediaId: handout.mediaId })
    await film.attach()
    for (const one of [handout, film]) await aged(one.mediaId, 40)
    await owner.api.courses.removeSection.mutate({ courseId, sectionId })
    await lms.work()
    expect(await stateOf(handout.mediaId)).toBe('READY')
    await aged(handout.mediaId, 31)
    await lms.work()
    expect(await stateOf(handout.mediaId)).toBe('UNUSED')
    expect(await stateOf(film.mediaId)).toBe('READY')
  })

  it('cannot be attached to a lesson once it is marked', async () => {
    const film = await aFilm()
    await aged(film.mediaId, 31)
    await lms.work()
    await refused(film.attach(), 'INVALID_INPUT')
    const { items } = await film.owner.api.media.list.query({})
    expect(items).toMatchObject([{ mediaId: film.mediaId, state: 'UNUSED' }])
  })

  it('comes back when its author was attaching it just then', async () => {
    const film = await aFilm()
    await film.attach()
    const owned = { _id: film.mediaId }
    await lms.db.orm.media.where(owned).update({ state: 'UNUSED', updatedAt: lms.clock.now() })
    await sweepLater(11 * 60)
    expect([await stateOf(film.mediaId), film.isKept()]).toEqual(['READY', true])
  })

  it('is referenced and there, or neither, when it is swept and attached at once', async () => {
    const films = await Promise.all(Array.from({ length: 6 }, aFilm))
    for (const { mediaId } of films) await aged(mediaId, 31)
    const [, ...attached] = await Promise.allSettled([
      lms.work(),
      ...films.map(({ attach }) => attach()),
    ])
    await sweepLater(11 * 60)
    await sweepLater(3 * 3600)
    for (const [i, film] of films.entries()) {
      const isNamed = attached[i]?.status === 'fulfilled'
      expect([await stateOf(film.mediaId), film.isKept()]).toEqual(
        isNamed ? ['READY', true] : [undefined, false],
      )
    }
  })
})
