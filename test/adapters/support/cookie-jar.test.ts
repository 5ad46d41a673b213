import { expect, test } from 'vitest'
import { CookieJar } from '../../support/sign-in.ts'

const at = new URL('http://127.0.0.1:8000/interaction/1')

function jar(...lines: string[]): CookieJar {
  const cookies = new CookieJar()
  cookies.take(at, new Headers(lines.map((line) => ['set-cookie', line])))
  return cookies
}

test('a cookie goes back to its host, on any port', () => {
  const cookies = jar('session=a=b; path=/; httponly')
  expect([
    cookies.header(new URL('http://127.0.0.1:9000/anywhere')),
    cookies.header(new URL('http://localhost:8000/')),
  ]).toEqual(['session=a=b', ''])
})

test('a cookie goes to its path and below, the nearest first', () => {
  const cookies = jar('far=1; path=/', 'near=2; path=/interaction')
  expect(
    ['/interaction', '/interaction/1', '/interactions', '/'].map((path) => cookies.header(new URL(path, at))),
  ).toEqual(['near=2; far=1', 'near=2; far=1', 'far=1', 'far=1'])
})

test('a cookie is replaced, and forgotten when it has ended', () => {
  const cookies = jar('a=1; path=/', 'b=1; path=/', 'c=1; path=/')
  const ended = 'expires=Thu, 01 Jan 1970 00:00:00 GMT'
  cookies.take(
    at,
    new Headers([
      ['set-cookie', 'a=2; path=/; expires=Fri, 01 Jan 2100 00:00:00 GMT'],
      ['set-cookie', `b=; path=/; ${ended}`],
      ['set-cookie', 'c=; path=/; max-age=0'],
    ]),
  )
  expect(cookies.header(at)).toBe('a=2')
})
