import { fold } from '../fold.ts'
import { wordsOf } from './rich-text.ts'

type Searched = {
  title: string
  summary: string
  tags: readonly string[]
  description: string
}

/**
 * What the text index holds of a course besides its own fields: the words of its description, and of all of
 * it those that are written otherwise once they are folded.
 */
export function searchTextOf({ title, summary, tags, description }: Searched): string {
  const words = wordsOf(description)
  return [words, ...foldedWords([title, summary, ...tags, words].join(' '))].join(' ').trim()
}

/** The words looked for, and beside them what they are folded to: either may be how a course is written. */
export function searchOf(query: string): string {
  return [query, ...foldedWords(query)].join(' ')
}

// A dash in front of a word, or quotes around some, would be an order to the search.
function foldedWords(text: string): string[] {
  const known = new Set(text.toLowerCase().split(/\s+/))
  const folded = fold(text)
    .replace(/["-]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '' && !known.has(word))
  return [...new Set(folded)]
}
