// A name stands where mail programs make links by themselves. But initials and degrees look like hosts:
// `K.Dev`, `R.In`, `Asha Rao, B.Com`, `M.A./B.Ed`. So a link is what says it is one, or what is written as
// hosts are: in small letters, three of them at least before the full stop.
const SAYS_SO = /:\/\/|\bwww\.|[^\s@]@[^\s@]+\.\p{L}/iu
const PATH = /(?:[\p{L}\p{N}-]{3,}\.\p{L}{2,}|[\p{Ll}\p{N}-]+\.\p{Ll}{2,})\/\S/u
const HOST =
  /[\p{L}\p{N}-]{3,}\.(?:co\.[a-z]{2}|app|biz|click|club|cn|com|info|io|link|live|net|online|org|ru|shop|site|store|top|vip|xyz)(?![\p{L}\p{N}])/u

/** Whether mail programs make a link of a part of this text, for what a name may well be. */
export function isLink(text: string): boolean {
  const plain = text.normalize('NFKC').replaceAll('\u3002', '.')
  return [SAYS_SO, PATH, HOST].some((link) => link.test(plain))
}
