// What a text may hold, whoever wrote it and wherever it goes. No text needs a control character but line
// breaks and tabs, what turns the order of its neighbours around (a file that seems to end in `.png`), or a
// code point that stands for no character. Half a character would be stored as another one.
const HARMFUL =
  /[^\P{Cc}\n\r\t]|[\u202a-\u202e\u2066-\u206f\ufff9-\ufffb]|\p{Noncharacter_Code_Point}|\p{Cs}/u

// What is not seen lets a name pose as another one. Of the format characters two are spelling, in Indian
// scripts too: the joiner and the non-joiner. Some letters and signs by their class are blank by their looks.
const HIDDEN =
  /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/u
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

/** Why a text is refused, as the end of a sentence; null where nothing speaks against it. */
export function faultOfText(text: string): string | null {
  if (!text.isWellFormed()) return 'has half a character'
  return HARMFUL.test(text) ? 'has characters that are not allowed' : null
}

/** The same for what stands on one line and is read as it is seen: a name, a title, a search. */
export function faultOfLine(text: string): string | null {
  if (HIDDEN.test(text)) return 'has characters that are not allowed'
  if (text !== '' && !VISIBLE.test(text)) return 'has nothing that can be seen'
  return faultOfText(text)
}

/** One spelling of what is composed in several, and one of a line's end. */
export function normalized(text: string): string {
  return text.normalize('NFC').replace(/\r\n?/g, '\n')
}

/** A pattern of the database's that finds this text as it stands. */
export function literally(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{M}\s]/gu, String.raw`\$&`)
}
