export type Child = Node | string | null | false | readonly Child[]

type Value = string | number | boolean | null | undefined | ((event: Event) => void)
type Props = Readonly<Record<string, Value>>

/** An element. Text goes in as text and nothing is ever parsed as HTML, so nobody's title can run. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') made.addEventListener(name.slice('on'.length), value)
    else if (value === true) made.setAttribute(name, '')
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, String(value))
  }
  append(made, children)
  return made
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === false) continue
    if (typeof child === 'string' || child instanceof Node) parent.append(child)
    else append(parent, child)
  }
}

/** The address if it leads to the web, and '' for `javascript:` and the like. */
export function webUrl(url: string | null): string {
  if (url === null || !URL.canParse(url)) return ''
  return ['http:', 'https:'].includes(new URL(url).protocol) ? url : ''
}
