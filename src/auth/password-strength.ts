import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'
import { DomainError } from '../errors.ts'
import { hashedForm, MIN_LENGTH } from './passwords.ts'

/** Whose password it is, and of which shop: what whoever guesses at it knows as well. */
export type Owner = { email: string; name: string; appName: string; field?: string }

/** Fewer guesses than these are made offline in minutes, even at a slow hash. */
const LEAST_GUESSES = 1e8
// The estimator's work grows with the length; a phrase of so many characters is past all doubt.
const ESTIMATED_CHARACTERS = 40
/** Around one word, a tail such as @2024! is what guessing programs try first. */
const SHORT_TAIL = 6
/** One's own name with a birthday around it. */
const DATE_TAIL = 12
const LEAST_WORD = 3

/** What anybody would try at a place where courses are sold. */
const WORDS_OF_THE_TRADE = [
  'gurukul',
  'course',
  'courses',
  'student',
  'students',
  'teacher',
  'instructor',
  'learn',
  'learner',
  'learning',
  'lesson',
  'school',
  'college',
  'academy',
  'education',
  'admin',
  'administrator',
  'welcome',
  'password',
  'india',
  'bharat',
]

const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common'])

const estimator = new ZxcvbnFactory({
  dictionary,
  graphs: adjacencyGraphs,
  maxLength: ESTIMATED_CHARACTERS,
  l33tMaxSubstitutions: 10,
})

/**
 * Refuses what is guessed soon: common passwords, what is made of the owner's, the shop's or the trade's own
 * words, and whatever else an estimator of guesses thinks little of. It sees what is hashed, without the marks
 * that nobody sees. Throws WEAK_PASSWORD, with the reason at `field`.
 */
export function requireStrong(password: string, { field = 'password', ...owner }: Owner): void {
  const message = weaknessOf(visibleForm(hashedForm(password)), owner)
  if (message !== null)
    throw new DomainError('WEAK_PASSWORD', { issues: [{ path: field, message }] })
}

function visibleForm(password: string): string {
  return password
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFKC')
    .toLowerCase()
}

type Who = Omit<Owner, 'field'>

function weaknessOf(password: string, who: Who): string | null {
  const letters = lettersOf(password)
  if (password.length < MIN_LENGTH) return `has fewer than ${MIN_LENGTH} characters to be seen`
  if (COMMON.has(password) || COMMON.has(letters)) return 'is one of the most common passwords'
  if (new Set(password).size < 3) return 'repeats one or two characters'
  const core = coreOf(password)
  const own = wordsOf(who.email, who.name)
  const tail = password.length - core.length
  if (own.has(letters) || (own.has(core) && tail <= DATE_TAIL)) return 'is your own address or name'
  const trade = new Set([...wordsOf(who.appName), ...WORDS_OF_THE_TRADE])
  if ((trade.has(core) || COMMON.has(core)) && tail <= SHORT_TAIL)
    return 'is one common word with little around it: add another word or two'
  const known = [...own, ...trade].filter((word) => word.length >= LEAST_WORD)
  if (guessesOf(password, known) >= LEAST_GUESSES) return null
  return known.some((word) => password.includes(word))
    ? 'is little more than your own name or ours: add another word or two'
    : 'is too easy to guess: add another word or two'
}

/** Of a long password its beginning or its end is enough, whichever is better. */
function guessesOf(password: string, known: string[]): number {
  const parts = [password.slice(0, ESTIMATED_CHARACTERS), password.slice(-ESTIMATED_CHARACTERS)]
  return Math.max(...[...new Set(parts)].map((part) => estimator.check(part, known).guesses))
}

const lettersOf = (text: string): string => text.replace(/[^\p{L}\p{M}\p{N}]/gu, '')

/** The word in it, without what stands before and after. */
const coreOf = (password: string): string =>
  lettersOf(password.replace(/^[^\p{L}]+|[^\p{L}\p{M}]+$/gu, ''))

/** The words of names and addresses, each alone and as they are run together; no domain's end. */
function wordsOf(...names: string[]): Set<string> {
  const words = names.flatMap((name) => {
    const text = visibleForm(hashedForm(name))
    const [local = '', domain = ''] = text.split('@')
    const parts = [local, domain.replace(/\.[^.]*$/, '')].flatMap((part) =>
      part.split(/[^\p{L}\p{M}\p{N}]+/u),
    )
    return [text, local, domain, [...parts].reverse().join(''), ...parts].map(lettersOf)
  })
  return new Set(words.filter((word) => word !== ''))
}
