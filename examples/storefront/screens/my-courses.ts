import { api, type Outputs } from '../api.ts'
import { button } from '../controls.ts'
import { el, type Child } from '../el.ts'
import { date } from '../format.ts'
import { coursePath, type Page } from '../navigation.ts'
import { say } from '../notice.ts'
import { cover, progressBar } from '../pieces.ts'

type Enrolled = Outputs['enrollments']['mine']['items'][number]

export async function myCourses(): Promise<Page> {
  const { items } = await api.enrollments.mine.query({ limit: 100 })
  const empty = el('p', {}, 'None yet. ', el('a', { href: '#/' }, 'Find your first course'))
  return {
    title: 'My courses',
    body: [
      el('h1', {}, 'My courses'),
      items.length === 0 ? empty : el('ul', { class: 'cards' }, items.map(card)),
    ],
  }
}

function card({ courseId, course, percent, isActive, until, enrolledAt }: Enrolled): Child {
  return el(
    'li',
    { class: 'card' },
    cover(course),
    el(
      'div',
      { class: 'text' },
      el('h2', {}, el('a', { href: `#${coursePath(course.slug)}` }, course.title)),
      progressBar(percent),
      el('p', { class: 'quiet' }, standing({ isActive, until, enrolledAt })),
      isActive && percent === 100 && certificate(courseId),
    ),
  )
}

function standing({
  isActive,
  until,
  enrolledAt,
}: Omit<Enrolled, 'course' | 'courseId' | 'percent'>) {
  if (!isActive) return 'Your access has ended.'
  return until === null ? `Since ${date(enrolledAt)}` : `Open until ${date(until)}`
}

function certificate(courseId: string): Child {
  return button(
    'Get the certificate',
    async () => {
      const { publicId, issuedAt } = await api.certificates.claim.mutate({ courseId })
      say(`Certificate ${publicId}, issued on ${date(issuedAt)}.`)
    },
    'plain',
  )
}
