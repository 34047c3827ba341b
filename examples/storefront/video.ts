import { api } from './api.ts'
import { el, webUrl } from './el.ts'
import { complain } from './notice.ts'
import type { Lesson } from './screens/lesson.ts'

const SAVE_EVERY_SECONDS = 10

/** Plays from where the learner stopped, keeps that place, and asks for a new link when one has expired. */
export function video({ course, opened, progress, finish, left }: Lesson): HTMLElement {
  const player = el('video', { controls: true, playsinline: true, preload: 'metadata' })
  if (opened.kind !== 'VIDEO') return player
  player.src = webUrl(opened.playback.url)
  const ref = { courseId: course.id, lessonId: opened.lessonId }
  const mark = progress?.lessons.find(({ lessonId }) => lessonId === ref.lessonId)

  const startAt = (seconds: number) => {
    player.addEventListener(
      'loadedmetadata',
      () => {
        if (seconds < player.duration - 1) player.currentTime = seconds
      },
      { once: true },
    )
  }
  startAt(mark?.positionSeconds ?? 0)

  // Links live for minutes; one that fails twice without playing in between has another fault.
  let isNew = false
  player.addEventListener('playing', () => {
    isNew = false
  })
  player.addEventListener('error', () => {
    if (isNew) {
      complain(player.error)
      return
    }
    isNew = true
    startAt(player.currentTime)
    void renew(ref, player).catch(complain)
  })
  if (progress) keepPlace(player, ref, left)
  if (progress && !mark?.completedAt)
    player.addEventListener('ended', () => void finish().catch(complain))
  return el('div', { class: 'player' }, player)
}

type Ref = { courseId: string; lessonId: string }

async function renew(ref: Ref, player: HTMLVideoElement): Promise<void> {
  const wasPlaying = !player.paused
  const opened = await api.lessons.open.query(ref)
  if (opened.kind !== 'VIDEO') return
  player.src = webUrl(opened.playback.url)
  if (wasPlaying) await player.play()
}

function keepPlace(player: HTMLVideoElement, ref: Ref, left: AbortSignal): void {
  let kept = 0
  const save = () => {
    const seconds = Math.floor(player.currentTime)
    if (seconds === kept) return
    kept = seconds
    // A place that is not kept is no reason to interrupt the film.
    api.progress.position.mutate({ ...ref, seconds }).catch(() => undefined)
  }
  player.addEventListener('timeupdate', () => {
    if (Math.abs(player.currentTime - kept) >= SAVE_EVERY_SECONDS) save()
  })
  player.addEventListener('pause', save)
  left.addEventListener('abort', save)
}
