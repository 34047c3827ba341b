import { escapeHtml } from '../html.ts'

/** Whom a mail is from, and where its links lead. */
export type Site = {
  appName: string
  /** Every link begins with this configured origin, never with what a request said of its host. */
  siteUrl: string
}

/** What a mail says, twice: as plain text, and as HTML for those who see it. */
export type Message = { subject: string; text: string; html: string }

/** What a mail is to say, in plain text that anybody may have typed. */
export type Content = {
  subject: string
  greeting?: string
  paragraphs: string[]
  table?: { label: string; amount: string }[]
  button: { label: string; path: string; query?: Record<string, string> }
  footer?: string
}

/** Lays a mail out, as text and as HTML. Whatever people typed is one line of text in it, and no HTML. */
export function renderMessage(site: Site, content: Content): Message {
  const link = linkTo(site, content.button)
  return {
    subject: withoutLinks(oneLine(content.subject)),
    text: textOf(site, content, link),
    html: htmlOf(site, content, link),
  }
}

function textOf(site: Site, content: Content, link: string): string {
  const { greeting, paragraphs, table = [], button, footer } = content
  return [
    ...(greeting === undefined ? [] : [`Hello ${withoutLinks(oneLine(greeting))},`]),
    ...paragraphs.map(oneLine),
    ...(table.length === 0
      ? []
      : [table.map(({ label, amount }) => `${oneLine(label)}: ${amount}`).join('\n')]),
    `${button.label}: ${link}`,
    ...(footer === undefined ? [] : [footer]),
    `– ${oneLine(site.appName)}`,
  ].join('\n\n')
}

function htmlOf(site: Site, content: Content, link: string): string {
  const { greeting, paragraphs, table = [], button, footer } = content
  const rows = table.map(
    ({ label, amount }) =>
      `<tr><td style="padding:4px 16px 4px 0">${escapeHtml(label)}</td>` +
      `<td style="padding:4px 0;text-align:right">${escapeHtml(amount)}</td></tr>`,
  )
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<title>${escapeHtml(withoutLinks(content.subject))}</title></head>`,
    '<body style="font:16px/1.5 sans-serif;color:#222;max-width:36em;margin:auto;padding:16px">',
    ...(greeting === undefined ? [] : [`<p>Hello ${escapeHtml(withoutLinks(greeting))},</p>`]),
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    ...(rows.length === 0 ? [] : [`<table>${rows.join('')}</table>`]),
    `<p><a href="${escapeHtml(link)}">${escapeHtml(button.label)}</a></p>`,
    ...(footer === undefined ? [] : [`<p style="color:#666">${escapeHtml(footer)}</p>`]),
    `<p style="color:#666">${escapeHtml(site.appName)}</p></body></html>`,
  ].join('\n')
}

function linkTo(site: Site, { path, query = {} }: Content['button']): string {
  const url = new URL(site.siteUrl)
  url.pathname = path
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.href
}

/** One step of a path; `..` would climb out of it, escaped or not. */
export function pathPart(text: string): string {
  return /^\.+$/.test(text) ? '' : encodeURIComponent(text)
}

/** Users choose names and authors titles: a line break in one would begin a header or fake a paragraph. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

// What mail programs make links of by themselves: an address with or without its scheme, of a page or a mailbox,
// also written with the full stops of other scripts.
const SCHEME = /[\p{L}\p{N}+.-]*:\/\/+|\b(?:www[.．。｡]|mailto:)/giu
const DOMAIN = /[\p{L}\p{M}\p{N}-]+(?:[.．。｡][\p{L}\p{M}\p{N}-]+)*[.．。｡][\p{L}\p{M}-]{2,}/gu

/** The words of a text in which a mail program finds no link: `evil.example/x` reads `evil example x`. */
function withoutLinks(text: string): string {
  return text
    .replace(SCHEME, ' ')
    .replace(/[@＠]/gu, ' ')
    .replace(DOMAIN, (domain) => domain.replace(/[.．。｡]/gu, ' '))
    .replace(/(?<=\S)[\/\\]+(?=\S)/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
}

const RUPEES = new Intl.NumberFormat('en-IN', { style: 'currency', currency: 'INR' })

/** Paise as people write rupees in India: ₹1,00,000.00. */
export function inRupees(paise: number): string {
  return RUPEES.format(paise / 100)
}
