import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** One AES-256 key, and the name that what it sealed carries. */
export type SecretKey = { id: string; key: Buffer }

/**
 * Seals what must be read again but means nothing in a stolen backup. The first key seals, every key opens, so
 * that keys can be replaced one by one. `owner` is whom the secret belongs to: moved to another's row, it does
 * not open.
 */
export type SecretBox = {
  seal: (secret: string, owner: string) => string
  /** Throws where the key is not configured any more, or what is sealed was changed. */
  open: (sealed: string, owner: string) => string
  /** Whether it is sealed by the key that seals today. */
  isCurrent: (sealed: string) => boolean
}

const FORM = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Opens a box over these keys, of 32 bytes each, newest first. */
export function openSecretBox(keys: readonly [SecretKey, ...SecretKey[]]): SecretBox {
  const [newest] = keys
  return {
    seal: (secret, owner) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', newest.key, nonce)
      cipher.setAAD(boundTo(newest.id, owner))
      const sealed = [cipher.update(secret, 'utf8'), cipher.final()]
      const bytes = Buffer.concat([nonce, cipher.getAuthTag(), ...sealed])
      return `${FORM}.${newest.id}.${bytes.toString('base64url')}`
    },
    open: (sealed, owner) => {
      const [form, id = '', text = ''] = sealed.split('.')
      const found = keys.find((one) => one.id === id)
      if (form !== FORM || !found) throw new Error(`A secret is sealed by a key that is not here.`)
      const bytes = Buffer.from(text, 'base64url')
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const authTagLength = TAG_BYTES
      const decipher = createDecipheriv('aes-256-gcm', found.key, nonce, { authTagLength })
      decipher.setAAD(boundTo(id, owner))
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const secret = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
      return Buffer.concat([secret, decipher.final()]).toString('utf8')
    },
    isCurrent: (sealed) => sealed.startsWith(`${FORM}.${newest.id}.`),
  }
}

const boundTo = (keyId: string, owner: string): Buffer => Buffer.from(`${FORM}.${keyId}.${owner}`)

/** `id:base64` as the configuration has it; null for what names no key of 32 bytes. */
export function readSecretKey(text: string): SecretKey | null {
  const [, id, base64] = /^([\w-]{1,32}):([\w+/-]{43}=?)$/.exec(text) ?? []
  const key = Buffer.from(base64 ?? '', 'base64')
  return id !== undefined && key.length === 32 ? { id, key } : null
}

/** What seals where nothing has to be kept from anybody; production refuses to go without keys of its own. */
export const DEVELOPMENT_KEY: SecretKey = {
  id: 'development',
  key: createHash('sha256').update('a key that everybody knows').digest(),
}
