const RUPEES = new Intl.NumberFormat('en-IN', {
  style: 'currency',
  currency: 'INR',
  trailingZeroDisplay: 'stripIfInteger',
})
const DATE = new Intl.DateTimeFormat('en-IN', { dateStyle: 'medium' })
const TIME = new Intl.DateTimeFormat('en-IN', { dateStyle: 'medium', timeStyle: 'short' })

export const rupees = (paise: number): string => RUPEES.format(paise / 100)
export const price = (paise: number): string => (paise === 0 ? 'Free' : rupees(paise))
export const date = (at: Date): string => DATE.format(at)
export const time = (at: Date): string => TIME.format(at)

/** `BEGINNER` as a person would write it. */
export const word = (name: string): string =>
  name.charAt(0).toUpperCase() + name.slice(1).toLowerCase().replaceAll('_', ' ')

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`

export function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  if (minutes < 1) return `${Math.round(seconds)} s`
  if (minutes < 60) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
