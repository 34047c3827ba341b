import { api, type Outputs } from './api.ts'
import { buy } from './checkout.ts'
import { button, field, form } from './controls.ts'
import { el, type Child } from './el.ts'
import { price, rupees } from './format.ts'
import { coursePath, go, lessonPath, signInPath } from './navigation.ts'
import { lessonsOf } from './outline.ts'
import { progressBar } from './pieces.ts'
import { currentUser } from './session.ts'

type Course = Outputs['courses']['bySlug']
type Progress = Outputs['progress']['get']

/** What the visitor can do with this course: go on, enrol, buy. */
export function purchase(course: Course, progress: Progress | null): Child {
  if (course.viewer.enrolled || course.viewer.owner) return going(course, progress)
  return el(
    'div',
    { class: 'text' },
    el('p', { class: 'price large' }, price(course.pricePaise)),
    course.pricePaise === 0 ? enrolling(course) : buying(course),
  )
}

function going(course: Course, progress: Progress | null): Child {
  const lessonId = progress?.resumeLessonId ?? lessonsOf(course)[0]?.id
  const label = labelOf(progress)
  return el(
    'div',
    { class: 'text' },
    progress && progressBar(progress.percent),
    lessonId !== undefined &&
      el('a', { class: 'button primary', href: `#${lessonPath(course.slug, lessonId)}` }, label),
    !progress && el('p', { class: 'quiet' }, 'This course is in your care.'),
  )
}

function labelOf(progress: Progress | null): string {
  if (!progress) return 'Look inside'
  if (progress.completed === 0) return 'Start learning'
  return progress.resumeLessonId === null ? 'Look at it again' : 'Continue'
}

function enrolling({ id, slug }: Course): Child {
  return button('Enrol for free', async () => {
    if (!currentUser()) {
      go(signInPath())
      return
    }
    await api.enrollments.start.mutate({ courseId: id })
    go(coursePath(slug), 'You are enrolled.')
  })
}

function buying({ id, slug, title, pricePaise, refundDays }: Course): Child {
  let couponCode = ''
  const label = el('span', {}, `Buy for ${rupees(pricePaise)}`)
  const control = button(label, async () => {
    if (!currentUser()) {
      go(signInPath())
      return
    }
    const coupon = couponCode === '' ? {} : { couponCode }
    const cart = { courseIds: [id], description: title, ...coupon }
    await buy(cart, () => coursePath(slug))
    control.focus()
  })
  const couponForm = form({
    fields: field({ name: 'code', label: 'Coupon code', autocomplete: 'off' }),
    action: 'Apply',
    submit: async (value) => {
      if (!currentUser()) {
        go(signInPath())
        return
      }
      const code = value('code')
      const { amountPaise } = await api.coupons.preview.query({ courseIds: [id], code })
      couponCode = code
      label.textContent = amountPaise === 0 ? 'Enrol for free' : `Buy for ${rupees(amountPaise)}`
    },
  })
  return [
    control,
    el('p', { class: 'quiet' }, `Money back within ${refundDays} days.`),
    el('details', {}, el('summary', {}, 'Have a coupon?'), couponForm),
  ]
}
