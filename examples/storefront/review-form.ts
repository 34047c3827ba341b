import { api } from './api.ts'
import { form } from './controls.ts'
import { el } from './el.ts'
import { reload } from './navigation.ts'
import { stars } from './pieces.ts'

/** For those who take the course; there is one review of each, and a second one replaces it. */
export function reviewForm(courseId: string): HTMLElement {
  const fields = el(
    'p',
    { class: 'field' },
    el('label', { for: 'rating' }, 'Your rating'),
    el(
      'select',
      { id: 'rating', name: 'rating' },
      [5, 4, 3, 2, 1].map((given) => el('option', { value: given }, `${stars(given)} ${given}`)),
    ),
    el('label', { for: 'body' }, 'What should others know?'),
    el('textarea', { id: 'body', name: 'body', rows: 3, maxlength: 2000 }),
  )
  const made = form({
    fields,
    action: 'Publish the review',
    submit: async (value) => {
      const rating = Number(value('rating'))
      await api.reviews.put.mutate({ courseId, rating, body: value('body') })
      reload('Thank you for your review.')
    },
  })
  return el('details', { class: 'review' }, el('summary', {}, 'Write a review'), made)
}
