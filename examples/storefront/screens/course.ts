import { api, type Outputs } from '../api.ts'
import { el, type Child } from '../el.ts'
import { count, date, duration, word } from '../format.ts'
import type { Page, Visit } from '../navigation.ts'
import { outline } from '../outline.ts'
import { cover, rating, stars } from '../pieces.ts'
import { purchase } from '../purchase.ts'
import { reviewForm } from '../review-form.ts'
import { richText } from '../rich-text.ts'

export type Course = Outputs['courses']['bySlug']
type Review = Outputs['reviews']['list']['items'][number]

export async function course({ params: [slug = ''] }: Visit): Promise<Page> {
  const found = await api.courses.bySlug.query({ slug })
  const courseId = found.id
  const [reviews, progress] = await Promise.all([
    api.reviews.list.query({ courseId, limit: 5 }),
    found.viewer.enrolled ? api.progress.get.query({ courseId }) : null,
  ])
  const body = [
    intro(found),
    el(
      'div',
      { class: 'columns' },
      el(
        'div',
        {},
        el('section', { 'aria-labelledby': 'about' }, [
          el('h2', { id: 'about' }, 'About this course'),
          richText(found.description),
        ]),
        el('section', { 'aria-labelledby': 'content' }, [
          el('h2', { id: 'content' }, 'What is in it'),
          outline(found, { progress }),
        ]),
        reviewList(reviews.items, found),
      ),
      el('aside', { class: 'card sticky early' }, cover(found), purchase(found, progress)),
    ),
  ]
  return { title: found.title, body }
}

function intro(found: Course): Child {
  const length = found.durationSeconds > 0 ? ` · ${duration(found.durationSeconds)} of video` : ''
  return el(
    'div',
    { class: 'hero' },
    el('p', { class: 'eyebrow' }, `${found.category} · ${word(found.level)}`),
    el('h1', {}, found.title),
    el('p', {}, found.summary),
    el('p', { class: 'facts' }, [
      el('span', {}, `By ${found.instructor.name}`),
      rating(found),
      el('span', {}, `${count(found.lessonCount, 'lesson')}${length}`),
    ]),
  )
}

function reviewList(reviews: Review[], { id, viewer }: Course): Child {
  if (reviews.length === 0 && !viewer.enrolled) return null
  return el(
    'section',
    { 'aria-labelledby': 'reviews' },
    el('h2', { id: 'reviews' }, 'What learners say'),
    el(
      'ul',
      { class: 'plain' },
      reviews.map(({ authorName, rating: given, body, createdAt }) =>
        el(
          'li',
          { class: 'review' },
          el('p', { class: 'rating', role: 'img', 'aria-label': `${given} of 5` }, stars(given)),
          body !== '' && el('p', { class: 'as-typed' }, body),
          el('p', { class: 'quiet' }, `${authorName}, ${date(createdAt)}`),
        ),
      ),
    ),
    viewer.enrolled && reviewForm(id),
  )
}
