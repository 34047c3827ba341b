import { el, webUrl, type Child } from './el.ts'
import { count } from './format.ts'

/** The course's image, which says nothing its title does not; or its first letter. */
export function cover({ imageUrl, title }: { imageUrl: string | null; title: string }): Child {
  const src = webUrl(imageUrl)
  return src === ''
    ? el('div', { class: 'cover', 'aria-hidden': 'true' }, title.charAt(0))
    : el('img', { class: 'cover', src, alt: '', loading: 'lazy', width: 640, height: 360 })
}

export function rating(of: { ratingAverage: number | null; ratingCount: number }): Child {
  if (of.ratingAverage === null) return el('span', { class: 'quiet' }, 'No reviews yet')
  const label = `Rated ${of.ratingAverage} of 5 in ${count(of.ratingCount, 'review')}`
  return el(
    'span',
    { class: 'rating', role: 'img', 'aria-label': label },
    `${stars(of.ratingAverage)} ${of.ratingAverage} (${of.ratingCount})`,
  )
}

export const stars = (average: number): string =>
  '★'.repeat(Math.round(average)) + '☆'.repeat(5 - Math.round(average))

export function progressBar(percent: number): HTMLElement {
  return el(
    'div',
    { class: 'progress' },
    el('progress', { max: 100, value: percent, 'aria-label': 'Progress' }),
    el('span', {}, `${percent}%`),
  )
}
