import { describe, expect, it } from 'vitest'
import { issuerAddress } from '../../../src/adapters/provider/issuer-address.ts'
import { isSafeAddress } from '../../../src/core/safe-address.ts'
import { AuthError } from '../../../src/errors.ts'
import { tell, type Told } from './faults.ts'

function refusal(text: string): Told {
  try {
    return { code: 'none', message: issuerAddress(text) }
  } catch (error) {
    if (error instanceof AuthError) return tell(error)
    throw error
  }
}

describe('issuerAddress', () => {
  it.each([
    ['https://auth.example.com', 'https://auth.example.com'],
    ['https://auth.example.com/', 'https://auth.example.com'],
    ['HTTPS://Auth.Example.com:443/', 'https://auth.example.com'],
    ['https://auth.example.com:8443/realms/One/', 'https://auth.example.com:8443/realms/One'],
    ['https://auth.example.com//', 'https://auth.example.com'],
    ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    ['http://127.8.7.6/a', 'http://127.8.7.6/a'],
    ['http://[::1]:9000/', 'http://[::1]:9000'],
    ['http://localhost:9000', 'http://localhost:9000'],
  ])('takes %s as %s', (text, address) => {
    expect(issuerAddress(text)).toBe(address)
  })

  it.each([
    '',
    'auth.example.com',
    'ftp://auth.example.com',
    'file:///etc/passwd',
    'https://',
    'https:auth.example.com',
    String.raw`https:\\auth.example.com`,
    'https://auth.example.com/?',
    'https://auth.example.com/?a=b',
    'https://auth.example.com/#',
    'https://auth.example.com/#a',
    ' https://auth.example.com',
    'https://auth.\nexample.com',
    'https://user@auth.example.com',
    'https://user:secret-word@auth.example.com',
    'https://auth.example.com:99999',
    'http://auth.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://1270.0.0.1.example.com',
    'http://128.0.0.1',
    'http://10.0.0.1',
    'http://0.0.0.0',
    'http://[::]',
    'http://[::ffff:8.8.8.8]',
  ])('refuses %j, without repeating it', (text) => {
    expect(refusal(text)).toEqual({
      code: 'usage',
      message: 'The issuer is not an address to sign in at: https, with no user, query or fragment.',
      nextStep:
        'write it as in --issuer https://auth.example.com (http only for 127.0.0.1, [::1] and localhost)',
    })
  })
})

describe('isSafeAddress', () => {
  it('allows the query that an endpoint may have, and nothing else that an issuer may not', () => {
    expect(isSafeAddress('https://auth.example.com/authorize?tenant=a')).toBe(true)
    expect(isSafeAddress('http://127.0.0.1:9000/authorize')).toBe(true)
    expect(isSafeAddress('http://auth.example.com/authorize')).toBe(false)
    expect(isSafeAddress('https://a:b@auth.example.com/authorize')).toBe(false)
    expect(isSafeAddress('https://auth.example.com/authorize#a')).toBe(false)
    expect(isSafeAddress('javascript:alert(1)')).toBe(false)
    expect(isSafeAddress('/authorize')).toBe(false)
  })
})
