import type { Outputs } from './api.ts'
import { el, type Child } from './el.ts'
import { count, duration, word } from './format.ts'
import { lessonPath } from './navigation.ts'

type Course = Outputs['courses']['bySlug']
type Lesson = Course['sections'][number]['lessons'][number]
type Progress = Outputs['progress']['get']

type Marks = { progress: Progress | null; currentId?: string }

export const lessonsOf = (course: Course): Lesson[] =>
  course.sections.flatMap(({ lessons }) => lessons)

/** Sections and lessons; those the visitor may open are links. */
export function outline(course: Course, { progress, currentId }: Marks): HTMLElement {
  const done = new Set(
    progress?.lessons.flatMap(({ lessonId, completedAt }) => (completedAt ? [lessonId] : [])),
  )
  const isMine = course.viewer.enrolled || course.viewer.owner
  const item = (lesson: Lesson): Child =>
    el(
      'li',
      { class: done.has(lesson.id) && 'done' },
      isMine || lesson.preview
        ? el(
            'a',
            {
              href: `#${lessonPath(course.slug, lesson.id)}`,
              'aria-current': lesson.id === currentId && 'page',
            },
            lesson.title,
          )
        : el('span', {}, lesson.title),
      el('span', { class: 'quiet' }, about(lesson, { isMine, isDone: done.has(lesson.id) })),
    )
  return el(
    'div',
    { class: 'outline' },
    course.sections.map(({ title, lessons }) =>
      el(
        'details',
        { open: true },
        el('summary', {}, title, el('span', { class: 'quiet' }, count(lessons.length, 'lesson'))),
        el('ol', {}, lessons.map(item)),
      ),
    ),
  )
}

function about(lesson: Lesson, { isMine, isDone }: { isMine: boolean; isDone: boolean }): string {
  const length = lesson.durationSeconds ? ` · ${duration(lesson.durationSeconds)}` : ''
  const mark = isDone ? ' · Done' : lesson.preview && !isMine ? ' · Free preview' : ''
  return `${word(lesson.kind)}${length}${mark}`
}
