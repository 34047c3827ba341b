import { api, refusalOf, sentenceOf, type Outputs } from '../api.ts'
import { button } from '../controls.ts'
import { el, webUrl, type Child } from '../el.ts'
import { coursePath, go, lessonPath, reload, type Page, type Visit } from '../navigation.ts'
import { lessonsOf, outline } from '../outline.ts'
import { progressBar } from '../pieces.ts'
import { quiz } from '../quiz.ts'
import { richText } from '../rich-text.ts'
import { video } from '../video.ts'

type Course = Outputs['courses']['bySlug']
type Progress = Outputs['progress']['get']
type Opened = Outputs['lessons']['open']

export type Lesson = {
  course: Course
  opened: Opened
  progress: Progress | null
  /** Marks the lesson as done and goes on to the next. */
  finish: () => Promise<void>
  left: AbortSignal
}

export async function lesson({ params: [slug = '', lessonId = ''], left }: Visit): Promise<Page> {
  const course = await api.courses.bySlug.query({ slug })
  const courseId = course.id
  try {
    const [opened, progress] = await Promise.all([
      api.lessons.open.query({ courseId, lessonId }),
      course.viewer.enrolled ? api.progress.get.query({ courseId }) : null,
    ])
    const finish = () => complete(course, lessonId)
    return { title: opened.title, body: layout({ course, opened, progress, finish, left }) }
  } catch (error) {
    if (refusalOf(error)?.reason !== 'NOT_ENROLLED') throw error
    return { title: course.title, body: closed(course, sentenceOf(error)) }
  }
}

function layout(lesson: Lesson): Child {
  const { course, opened, progress } = lesson
  return el(
    'div',
    { class: 'columns' },
    el(
      'article',
      {},
      el('p', { class: 'eyebrow' }, el('a', { href: `#${coursePath(course.slug)}` }, course.title)),
      el('h1', {}, opened.title),
      content(lesson),
      steps(lesson),
    ),
    el(
      'aside',
      { class: 'card sticky', 'aria-label': 'Lessons' },
      el('div', { class: 'text' }, progress ? progressBar(progress.percent) : invitation(course)),
      outline(course, { progress, currentId: opened.lessonId }),
    ),
  )
}

function invitation({ slug, viewer }: Course): Child {
  if (viewer.owner) return 'This course is in your care.'
  const href = `#${coursePath(slug)}`
  return [
    el('p', {}, 'You are looking at a free preview.'),
    el('a', { class: 'button primary', href }, 'To the whole course'),
  ]
}

function content(lesson: Lesson): Child {
  const { opened } = lesson
  switch (opened.kind) {
    case 'TEXT':
      return richText(opened.text)
    case 'VIDEO':
      return video(lesson)
    case 'QUIZ':
      return quiz(lesson, opened.quiz)
    case 'FILE': {
      const href = webUrl(opened.playback.url)
      return el(
        'p',
        {},
        el('a', { class: 'button plain', href, rel: 'noopener' }, 'Download the file'),
      )
    }
  }
}

function steps({ course, opened, progress, finish }: Lesson): Child {
  const mark = progress?.lessons.find(({ lessonId }) => lessonId === opened.lessonId)
  const next = nextOf(course, opened.lessonId)
  const canMark = progress !== null && opened.kind !== 'QUIZ'
  return el(
    'div',
    { class: 'steps' },
    canMark && !mark?.completedAt && button('Mark as complete', finish),
    Boolean(mark?.completedAt) && el('span', { class: 'badge good' }, 'Completed'),
    next !== null &&
      el('a', { class: 'button plain', href: `#${lessonPath(course.slug, next)}` }, 'Next lesson'),
  )
}

async function complete(course: Course, lessonId: string): Promise<void> {
  const { percent } = await api.progress.complete.mutate({ courseId: course.id, lessonId })
  const next = nextOf(course, lessonId)
  if (percent === 100) go(coursePath(course.slug), 'Well done: you have completed this course.')
  else if (next === null) reload('Lesson completed.')
  else go(lessonPath(course.slug, next), 'Lesson completed.')
}

/** The lesson after this one, as far as the visitor may open it. */
function nextOf(course: Course, lessonId: string): string | null {
  const lessons = lessonsOf(course)
  const next = lessons[lessons.findIndex(({ id }) => id === lessonId) + 1]
  const isOpen = course.viewer.enrolled || course.viewer.owner || next?.preview === true
  return next && isOpen ? next.id : null
}

function closed(course: Course, sentence: string): Child {
  return [
    el('h1', {}, sentence),
    el('p', {}, el('a', { href: `#${coursePath(course.slug)}` }, `To “${course.title}”`)),
  ]
}
