import { beforeAll, describe, expect, it } from 'vitest'
import { attach } from '../../src/media/attach.ts'
import { aDraft } from '../support/builders/courses.ts'
import { sendForm, uploaded } from '../support/builders/media.ts'
import type { Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { PNG } from '../support/media-files.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

type Purpose = 'avatar' | 'course-image'

/** Somewhere a picture is shown, and what it shows. */
async function aPlace(purpose: Purpose) {
  const { course, owner } = await aDraft(lms)
  const courseId = course.id
  const isAvatar = purpose === 'avatar'
  const path = isAvatar ? '/uploads/avatar' : `/uploads/course-image?courseId=${courseId}`
  const shown = async () =>
    isAvatar
      ? (await owner.api.auth.me.query())?.user.avatarUrl
      : (await owner.api.courses.authoring.query({ courseId })).imageUrl
  const forget = () =>
    isAvatar
      ? lms.db.orm.users
          .where({ _id: owner.user.id })
          .update({ avatarUrl: null, avatarMediaId: null })
      : lms.db.orm.courses.where({ _id: courseId }).update({ imageUrl: null, imageMediaId: null })
  const wish = isAvatar ? { purpose } : { purpose, courseId }
  return { owner, wish, shown, forget, upload: () => uploaded(owner, path, PNG) }
}

/** Signed and sent, but not told of. */
async function aSentPicture(owner: Person, wish: { purpose: Purpose; courseId?: string }) {
  const form = await owner.api.media.signUpload.mutate(wish)
  expect(await sendForm(form, PNG)).toBe(200)
  return form.mediaId
}

const stored = (mediaId: string) => lms.db.orm.media.where({ _id: mediaId }).first()

for (const purpose of ['avatar', 'course-image'] as const) {
  describe(`a picture as ${purpose}`, () => {
    it('that comes in late gives way to the newer one', async () => {
      const { owner, wish, shown, upload } = await aPlace(purpose)
      const mediaId = await aSentPicture(owner, wish)
      lms.clock.advance(1)
      const newer = await upload()
      const late = await owner.api.media.confirm.mutate({ mediaId })
      expect(late).toMatchObject({ state: 'REMOVED', url: null })
      expect(await shown()).toBe(newer.url)
      expect(await stored(newer.mediaId)).toMatchObject({ state: 'READY' })
    })

    it('that the sweep finds gives way to the newer one', async () => {
      const { owner, wish, shown, upload } = await aPlace(purpose)
      const mediaId = await aSentPicture(owner, wish)
      lms.clock.advance(1)
      const newer = await upload()
      lms.clock.advance(25 * 3600)
      await lms.work()
      expect((await stored(mediaId))?.state).toBe('REMOVED')
      expect(await shown()).toBe(newer.url)
    })

    it('is shown after all when a process ended before it could show it', async () => {
      const { owner, shown, forget, upload } = await aPlace(purpose)
      const { mediaId, url } = await upload()
      await forget()
      await lms.work()
      expect(await shown()).toBe(url)
      await forget()
      await owner.api.media.confirm.mutate({ mediaId })
      expect(await shown()).toBe(url)
    })

    it('is not shown when it was removed meanwhile', async () => {
      const { owner, shown, upload } = await aPlace(purpose)
      const { mediaId } = await upload()
      const ready = await stored(mediaId)
      if (!ready) throw new Error('it was just uploaded')
      await owner.api.media.remove.mutate({ mediaId })
      await attach(lms.deps, ready)
      expect(await shown()).toBeNull()
    })

    it('is shown or removed, never both, when both are asked for at once', async () => {
      const { owner, wish, shown } = await aPlace(purpose)
      for (let round = 0; round < 5; round += 1) {
        const mediaId = await aSentPicture(owner, wish)
        await Promise.allSettled([
          owner.api.media.confirm.mutate({ mediaId }),
          owner.api.media.remove.mutate({ mediaId }),
        ])
        expect((await stored(mediaId))?.state).toBe('REMOVED')
        expect(await shown()).toBeNull()
      }
    })

    it('is the newest of many at once', async () => {
      const { shown, upload } = await aPlace(purpose)
      const all = await Promise.all(Array.from({ length: 3 }, upload))
      const newest = all.sort(
        (a, b) =>
          a.createdAt.toString().localeCompare(b.createdAt.toString()) ||
          a.mediaId.localeCompare(b.mediaId),
      )
      const last = await stored(newest.at(-1)?.mediaId ?? '')
      expect(last?.state).toBe('READY')
      expect(await shown()).toContain(last?.publicId)
    })
  })
}
