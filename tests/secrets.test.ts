import { describe, expect, it } from 'vitest'
import { keepSecret, learnFrom, linesWithSecrets } from './support/secrets.ts'

describe('the search for secrets', () => {
  it('finds those it was told, and those it saw go over the line', () => {
    keepSecret('a-session-of-someone')
    learnFrom('{"json":{"email":"seen@example.test","password":"a seen password","name":"A Name"}}')
    learnFrom('{"result":{"data":{"json":{"recoveryCodes":["recover-me-1","recover-me-2"]}}}}')
    const lines = [
      'cookie=a-session-of-someone',
      'by seen@example.test',
      '{"deep":{"x":"a seen password"}}',
      'used recover-me-2',
      'A Name did nothing wrong',
    ]
    expect(linesWithSecrets(lines)).toEqual(lines.slice(0, 4))
  })
})
