import { describe, expect, it } from 'vitest'
import { proxyFor } from '../../../src/adapters/provider/proxy.ts'
import { AuthError } from '../../../src/errors.ts'
import { recordSecret } from '../../support/secrets.ts'
import { tell } from './faults.ts'

const ISSUER = 'https://auth.example.com'

type Variables = Readonly<Record<string, string>>

function proxyOf(variables: Variables, address = ISSUER): string | undefined {
  return proxyFor(new URL(`${address}/oauth/token`), variables)?.host
}

describe('the proxy', () => {
  it('is none when nobody names one', () => {
    expect(proxyFor(new URL(ISSUER), {})).toBe(undefined)
  })

  it('is all that its address says, with user and password decoded', () => {
    const env = { HTTPS_PROXY: 'https://alice:p%40ss%3A%C3%A9@proxy.corp:3128' }
    expect(proxyFor(new URL(ISSUER), env)).toEqual({
      address: new URL('https://proxy.corp:3128'),
      host: 'proxy.corp:3128',
      authorization: `Basic ${Buffer.from('alice:p@ss:é').toString('base64')}`,
      variable: 'HTTPS_PROXY',
      nextStep: SPOKEN_TO,
    })
  })

  it.each([
    ['proxy.corp:3128', 'proxy.corp:3128'],
    ['http://proxy.corp', 'proxy.corp:80'],
    ['https://proxy.corp/', 'proxy.corp:443'],
    ['http://[::1]:3128', '[::1]:3128'],
    ['HTTP://Proxy.Corp:3128', 'proxy.corp:3128'],
    [' http://proxy.corp:3128\n', 'proxy.corp:3128'],
    ['alice:p@ss@proxy.corp:3128', 'proxy.corp:3128'],
  ])('may be written as %j', (text, host) => {
    expect(proxyOf({ HTTPS_PROXY: text })).toBe(host)
  })

  it.each([
    ['http://alice@proxy.corp', 'alice:'],
    ['http://:secret@proxy.corp', ':secret'],
  ])('takes half of a user and password from %s', (text, user) => {
    const proxy = proxyFor(new URL(ISSUER), { HTTPS_PROXY: text })
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from(user).toString('base64')}`)
  })

  it('is that of the scheme before that of all, and of each the lower case first', () => {
    const variables = Object.entries({
      https_proxy: 'http://one:1',
      HTTPS_PROXY: 'http://two:1',
      all_proxy: 'http://three:1',
      ALL_PROXY: 'http://four:1',
    })
    const left = variables.map((_, at) => proxyOf(Object.fromEntries(variables.slice(at))))
    expect(left).toEqual(['one:1', 'two:1', 'three:1', 'four:1'])
  })

  it('is not named by an empty variable', () => {
    expect(proxyOf({ https_proxy: '', HTTPS_PROXY: 'http://two:1' })).toBe('two:1')
    expect(proxyOf({ https_proxy: '' })).toBe(undefined)
  })

  it('is not the one for plain http', () => {
    expect(proxyOf({ HTTP_PROXY: 'http://one:1', http_proxy: 'http://one:1' })).toBe(undefined)
  })
})

describe('a proxy that cannot be used', () => {
  it.each(['socks5://127.0.0.1:1080', 'socks5h://alice:secret@proxy.corp', 'SOCKS://proxy.corp:1080'])(
    'is refused when it is %s',
    (address) => {
      expect(refusalOf({ all_proxy: address })).toEqual({
        code: 'network',
        mayRetry: false,
        message: 'all_proxy names a SOCKS proxy, which is not supported.',
        nextStep: 'name an http:// or https:// proxy in all_proxy, or unset it',
      })
    },
  )

  it.each([
    ['with another scheme', 'ftp://proxy.corp:21'],
    ['without a host', 'http://'],
    ['with a port that is none', 'http://proxy.corp:port'],
    ['with a path', 'http://proxy.corp:3128/path'],
    ['with a space in it', 'http://proxy corp:3128'],
    ['of spaces', '  '],
  ])('is refused %s', (_, address) => {
    expect(refusalOf({ HTTPS_PROXY: address })).toEqual(malformed)
  })

  it.each(['#', '/', '?', '\\', '%', '%zz', ' ', '\n'])(
    'is refused, and not told, when %j stands in its password as it is',
    (character) => {
      const secret = 'beginning-of-the-password'
      recordSecret(secret)
      for (const beginning of [secret, '1234']) {
        const address = `http://alice:${beginning}${character}secret@proxy.corp:3128`
        expect(refusalOf({ HTTPS_PROXY: address })).toEqual(malformed)
      }
    },
  )

  it('is nobody to complain about where no proxy is used', () => {
    expect(proxyOf({ HTTPS_PROXY: 'socks5://proxy.corp', NO_PROXY: 'example.com' })).toBe(undefined)
  })
})

describe('no proxy', () => {
  it.each([
    ['https://localhost:8443'],
    ['https://issuer.localhost'],
    ['https://127.0.0.1'],
    ['https://127.9.9.9'],
    ['https://0x7f000001'],
    ['https://[::1]'],
    ['https://[::ffff:127.0.0.1]'],
  ])('is used for %s only where NO_PROXY names this machine', (address) => {
    const env = { HTTPS_PROXY: 'http://proxy.corp' }
    expect(proxyOf({ ...env, NO_PROXY: 'localhost,127.0.0.0/8,::1' }, address)).toBe(undefined)
    expect(proxyOf(env, address)).toBe('proxy.corp:80')
  })

  it.each<[exceptions: string, address: string]>([
    ['*', 'https://anything.example.com'],
    ['other.com, *', 'https://anything.example.com'],
    ['example.com', 'https://example.com'],
    ['example.com', 'https://auth.example.com'],
    ['.example.com', 'https://auth.example.com'],
    ['.example.com', 'https://example.com'],
    ['*.example.com', 'https://auth.example.com'],
    ['EXAMPLE.com', 'https://auth.example.COM'],
    ['example.com.', 'https://auth.example.com'],
    ['example.com', 'https://auth.example.com.'],
    ['other.com,example.com', 'https://example.com'],
    [' other.com  example.com ', 'https://example.com'],
    ['other.com,,example.com,', 'https://example.com'],
    ['example.com:443', 'https://example.com'],
    ['example.com:8443', 'https://example.com:8443'],
    ['*:8443', 'https://example.com:8443'],
    ['192.168.1.5', 'https://192.168.1.5'],
    ['192.168.1.5:8443', 'https://192.168.1.5:8443'],
    ['192.168.0.0/16', 'https://192.168.1.5'],
    ['0.0.0.0/0', 'https://192.168.1.5'],
    ['2001:db8::5', 'https://[2001:db8::5]'],
    ['2001:0db8:0::5', 'https://[2001:db8::5]'],
    ['[2001:db8::5]', 'https://[2001:db8::5]'],
    ['[2001:db8::5]:8443', 'https://[2001:db8::5]:8443'],
    ['2001:db8::/32', 'https://[2001:db8::5]:8443'],
  ])('is used when NO_PROXY is %j, for %s', (exceptions, address) => {
    expect(proxyOf({ HTTPS_PROXY: 'http://proxy.corp', NO_PROXY: exceptions }, address)).toBe(undefined)
  })

  it.each<[exceptions: string, address: string]>([
    ['', 'https://example.com'],
    [',', 'https://example.com'],
    ['.', 'https://example.com'],
    ['*.', 'https://example.com'],
    ['example.com', 'https://notexample.com'],
    ['auth.example.com', 'https://example.com'],
    ['example.com', 'https://example.com.evil.com'],
    ['*example.com', 'https://auth.example.com'],
    ['example.com:8443', 'https://example.com'],
    ['example.com:443', 'https://example.com:8443'],
    ['*:8443', 'https://example.com'],
    ['1.5', 'https://192.168.1.5'],
    ['192.168.1.5', 'https://192.168.1.50'],
    ['192.168.1.5:8443', 'https://192.168.1.5'],
    ['192.168.0.0/24', 'https://192.168.1.5'],
    ['192.168.0.0/33', 'https://192.168.0.1'],
    ['192.168.0.0/', 'https://192.168.0.1'],
    ['0.0.0.0/0', 'https://[2001:db8::5]'],
    ['0.0.0.0/0', 'https://example.com'],
    ['2001:db8::5', 'https://[2001:db8::6]'],
    ['[2001:db8::5]:443', 'https://[2001:db8::5]:8443'],
    ['2001:db8::/129', 'https://[2001:db8::5]'],
    ['/', 'https://example.com'],
  ])('is not the rule when NO_PROXY is %j, for %s', (exceptions, address) => {
    expect(proxyOf({ HTTPS_PROXY: 'http://proxy.corp', NO_PROXY: exceptions }, address)).toBe('proxy.corp:80')
  })

  it('is ruled by the variable in lower case where both are set', () => {
    const both = { HTTPS_PROXY: 'http://proxy.corp', no_proxy: 'other.com', NO_PROXY: 'example.com' }
    expect(proxyOf(both)).toBe('proxy.corp:80')
    expect(proxyOf({ ...both, no_proxy: '' })).toBe(undefined)
  })
})

const SPOKEN_TO =
  'check the proxy in HTTPS_PROXY: with https:// it is spoken to in TLS, and most are named with http://'

const malformed = {
  code: 'network',
  mayRetry: false,
  message: 'HTTPS_PROXY is not the address of a proxy.',
  nextStep: 'write it as http://user:password@host:port, with %23 for # and so on in user and password',
}

function refusalOf(variables: Variables): object {
  try {
    return { host: proxyOf(variables) }
  } catch (error) {
    if (error instanceof AuthError) return tell(error)
    throw error
  }
}
