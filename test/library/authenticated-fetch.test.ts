import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { authenticatedFetch, type AuthenticatedFetchOptions, type Fetch } from '../../src/index.ts'
import { sampleCredential } from '../support/credentials.ts'
import {
  credentialOf,
  hold,
  startFakeIssuer,
  type FakeIssuer,
  type IssuedLogin,
} from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'

interface Received {
  readonly path: string
  readonly method: string
  readonly token: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that accepts what the issuer accepts, until the test is over. */
interface Api {
  readonly origin: string
  readonly received: Received[]
  /** Where `/away` leads to. */
  away: string
  /** `true`: refuses every token. */
  refuses: boolean
}

let issuer: FakeIssuer
let home: Home
let api: Api

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
  api = await startApi()
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

async function startApi(): Promise<Api> {
  const server = await listenOnLoopback()
  onTestFinished(() => server.close())
  const started: Api = { origin: server.origin, received: [], away: '', refuses: false }
  server.serve(async (request, response) => {
    const { url: path = '', method = '', headers } = request
    const token = headers.authorization?.replace(/^Bearer /, '')
    started.received.push({ path, method, token, headers, body: await text(request) })
    const isAccepted = !started.refuses && token !== undefined && issuer.accepts(token)
    if (path === '/away') response.writeHead(307, { location: started.away }).end()
    else response.writeHead(isAccepted ? 200 : 401).end(isAccepted ? 'welcome' : 'who are you?')
  })
  return started
}

/** A login whose access token the server refuses, although it says that it lives. */
async function keepRefusedLogin(): Promise<string> {
  const login = issuer.issueLogin({ accessTokenLifetime: -60 })
  await home.keep({ ...credentialOf(login), expiresAt: Math.floor(Date.now() / 1000) + 3600 })
  return login.accessToken
}

async function keepLogin(): Promise<string> {
  return (await keepLoginOfIssuer()).accessToken
}

async function keepLoginOfIssuer(): Promise<IssuedLogin> {
  const login = issuer.issueLogin()
  await home.keep(credentialOf(login))
  return login
}

function fetching(options: AuthenticatedFetchOptions = {}): Fetch {
  return authenticatedFetch({ home: home.path, env: {}, origins: [api.origin], ...options })
}

async function answerOf(answer: Promise<Response>) {
  const response = await answer
  return { status: response.status, body: await response.text() }
}

const WELCOME = { status: 200, body: 'welcome' }
const REFUSED = { status: 401, body: 'who are you?' }

describe('a request', () => {
  test('carries the token, and all that it carried before', async () => {
    const token = await keepLogin()
    const request = fetching()(`${api.origin}/things?a=1`, {
      method: 'POST',
      headers: { 'x-mine': 'yes', authorization: 'Bearer unused' },
      body: 'some text',
    })
    expect(await answerOf(request)).toEqual(WELCOME)
    expect(api.received).toEqual([
      {
        path: '/things?a=1',
        method: 'POST',
        token,
        headers: expect.objectContaining({
          'x-mine': 'yes',
          'content-type': 'text/plain;charset=UTF-8',
          'content-length': '9',
        }),
        body: 'some text',
      },
    ])
    expect(issuer.requests).toEqual([])
  })

  test.each(['string', 'URL', 'Request'] as const)('may be given as a %s', async (kind) => {
    await keepLogin()
    const url = `${api.origin}/things`
    const given = {
      string: url,
      URL: new URL(url),
      Request: new Request(url, { headers: { 'x-mine': '1' } }),
    }
    expect(await answerOf(fetching()(given[kind]))).toEqual(WELCOME)
    expect(api.received[0]?.headers['x-mine']).toBe(kind === 'Request' ? '1' : undefined)
  })

  test('says which account a ChatGPT login is of, below its base URL only', async () => {
    const token = await keepLogin()
    const sent: [url: string, account: string | null, token: string | null][] = []
    const fetch = authenticatedFetch({
      home: home.path,
      env: {},
      fetch: async (input, init) => {
        const { url, headers } = new Request(input, init)
        sent.push([url, headers.get('chatgpt-account-id'), headers.get('authorization')])
        return new Response('')
      },
    })
    const base = 'https://chatgpt.com/backend-api'
    for (const path of ['/codex', '/codex/responses', '/codexes', '/me']) await fetch(`${base}${path}`)
    await fetch('https://chatgpt.com.example.org/backend-api/codex')
    expect(sent).toEqual([
      [`${base}/codex`, 'account-1', `Bearer ${token}`],
      [`${base}/codex/responses`, 'account-1', `Bearer ${token}`],
      [`${base}/codexes`, null, `Bearer ${token}`],
      [`${base}/me`, null, `Bearer ${token}`],
      ['https://chatgpt.com.example.org/backend-api/codex', null, null],
    ])
  })

  test('is made by what is the global fetch at that time', async () => {
    const token = await keepLogin()
    const signedIn = fetching()
    const genuine = globalThis.fetch
    onTestFinished(() => void (globalThis.fetch = genuine))
    globalThis.fetch = async (input, init) =>
      Response.json([input, new Headers(init?.headers).get('authorization')])
    expect(await (await signedIn(api.origin)).json()).toEqual([api.origin, `Bearer ${token}`])
  })

  test('ends with its own signal, also while the token is renewed', async () => {
    await keepRefusedLogin()
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const request = fetching()(api.origin, { signal: stop.signal })
    await held.arrived
    stop.abort(new Error('enough'))
    held.release()
    await expect(request).rejects.toThrow('enough')
    expect(api.received.length).toBe(1)
  })
})

describe('the token does not go', () => {
  test('to a server that was not named', async () => {
    await keepLogin()
    const other = await startApi()
    expect(await answerOf(fetching()(other.origin))).toEqual(REFUSED)
    expect(other.received).toMatchObject([{ token: undefined }])
  })

  test.each([
    ['that was not named', false],
    ['that was named', true],
  ])('along with a redirect to another server %s, whose 401 is not about it', async (_what, isNamed) => {
    const token = await keepLogin()
    const other = await startApi()
    api.away = `${other.origin}/there`
    const origins = isNamed ? [api.origin, other.origin] : [api.origin]
    expect(await answerOf(fetching({ origins })(`${api.origin}/away`))).toEqual(REFUSED)
    expect(api.received).toMatchObject([{ path: '/away', token }])
    expect(other.received).toMatchObject([{ path: '/there', token: undefined }])
    expect(issuer.refreshes).toBe(0)
  })

  test('anywhere without a name, when the login has no base URL', async () => {
    await home.keep(
      sampleCredential({ method: 'oauth', provider: 'oidc', expiresAt: undefined, issuer: issuer.issuer }),
    )
    await expect(fetching({ origins: undefined })(api.origin)).rejects.toMatchObject({
      code: 'usage',
      message: 'Nobody knows where the access token of this provider may be sent.',
    })
    expect(api.received).toEqual([])
  })

  test.each([
    'http://api.example.com',
    'https://api.example.com/v1',
    'api.example.com',
    'https://a@b.example',
    '*',
  ])('to %s, which is no safe origin', (origin) => {
    expect(() => authenticatedFetch({ origins: [origin] })).toThrow(
      'An origin that may get the access token is not one, or is not safe.',
    )
  })
})

test('the token goes along with a redirect on the same server', async () => {
  const token = await keepLogin()
  api.away = '/there'
  expect(await answerOf(fetching()(`${api.origin}/away`))).toEqual(WELCOME)
  expect(api.received).toMatchObject([
    { path: '/away', token },
    { path: '/there', token },
  ])
})

describe('after a 401', () => {
  const bodies: Record<string, () => BodyInit> = {
    string: () => 'some text',
    bytes: () => new TextEncoder().encode('some text'),
    Blob: () => new Blob(['some text']),
    'set of parameters': () => new URLSearchParams({ some: 'text' }),
  }

  test('the request is made once more, with a renewed token', async () => {
    const refused = await keepRefusedLogin()
    expect(await answerOf(fetching()(api.origin))).toEqual(WELCOME)
    expect(api.received.map(({ token }) => token === refused)).toEqual([true, false])
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })

  test('200 requests at once make one refresh', async () => {
    await keepRefusedLogin()
    const fetch = fetching()
    const answers = await Promise.all(Array.from({ length: 200 }, () => answerOf(fetch(api.origin))))
    expect(answers).toEqual(answers.map(() => WELCOME))
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })

  test('a token that another process has renewed since is used, without a refresh', async () => {
    const refused = await keepRefusedLogin()
    const newer = issuer.issueLogin()
    const fetch = fetching({
      fetch: async (input, init) => {
        const answer = await globalThis.fetch(input, init)
        if (answer.status === 401) await home.keep(credentialOf(newer))
        return answer
      },
    })
    expect(await answerOf(fetch(api.origin))).toEqual(WELCOME)
    expect(api.received.map(({ token }) => token)).toEqual([refused, newer.accessToken])
    expect(issuer.refreshes).toBe(0)
  })

  test('a second 401 is returned', async () => {
    await keepLogin()
    api.refuses = true
    expect(await answerOf(fetching()(api.origin))).toEqual(REFUSED)
    expect({ requests: api.received.length, refreshes: issuer.refreshes }).toEqual({
      requests: 2,
      refreshes: 1,
    })
  })

  test('a server that refuses new tokens as well makes one renewal a minute, and others none', async () => {
    onTestFinished(() => void vi.useRealTimers())
    // Not the time of day, which can be set back.
    vi.useFakeTimers({ toFake: ['performance'] })
    await keepLogin()
    api.refuses = true
    const fetch = fetching()
    for (const seconds of [0, 1, 58]) {
      vi.advanceTimersByTime(seconds * 1000)
      expect(await answerOf(fetch(api.origin))).toEqual(REFUSED)
    }
    expect({ requests: api.received.length, refreshes: issuer.refreshes }).toEqual({
      requests: 4,
      refreshes: 1,
    })
    vi.advanceTimersByTime(2000)
    expect(await answerOf(fetch(api.origin))).toEqual(REFUSED)
    api.refuses = false
    expect(await answerOf(fetch(api.origin))).toEqual(WELCOME)
    expect(issuer.refreshes).toBe(2)
  })

  test('the connection of a 401 is given back when there is no newer token to go on with', async () => {
    issuer.endLogin(credentialOf(await keepLoginOfIssuer()).refreshToken ?? '')
    const server = await listenOnLoopback()
    onTestFinished(() => server.close())
    const closed = new Promise<void>((resolve) => {
      server.serve(async (_request, response) => {
        response.once('close', resolve).writeHead(401).write('the beginning of a body without an end')
      })
    })
    await expect(fetching({ origins: [server.origin] })(server.origin)).rejects.toThrow(
      expect.objectContaining({ code: 'refresh_refused' }),
    )
    await closed
  })

  test.each(Object.keys(bodies))('a %s is sent again', async (kind) => {
    await keepRefusedLogin()
    expect(await answerOf(fetching()(api.origin, { method: 'PUT', body: bodies[kind]?.() ?? null }))).toEqual(
      WELCOME,
    )
    const [first, second] = api.received
    expect(first).toMatchObject({ method: 'PUT', body: expect.stringMatching(/^some.text$/) })
    expect(second).toMatchObject({ method: 'PUT', body: first?.body })
  })

  test('the body of a Request is sent again, whatever it was made from', async () => {
    await keepRefusedLogin()
    const request = new Request(api.origin, { method: 'PUT', body: 'some text', headers: { 'x-mine': '1' } })
    expect(await answerOf(fetching()(request))).toEqual(WELCOME)
    expect(api.received.map(({ body, headers }) => [body, headers['x-mine']])).toEqual([
      ['some text', '1'],
      ['some text', '1'],
    ])
    expect(request.bodyUsed).toBe(true)
  })

  test('the body of a Request is sent again even if it was made from a stream', async () => {
    await keepRefusedLogin()
    const init = { method: 'PUT', body: new Blob(['some text']).stream(), duplex: 'half' } as RequestInit
    expect(await answerOf(fetching()(new Request(api.origin, init)))).toEqual(WELCOME)
    expect(api.received.map(({ body }) => body)).toEqual(['some text', 'some text'])
  })

  test('the body of a Request that fails on its way fails the request, and nothing else', async () => {
    await keepLogin()
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('torn')) })
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit
    await expect(fetching()(new Request(api.origin, init))).rejects.toThrow('fetch failed')
  })

  test('a stream is not sent again, and the 401 is returned', async () => {
    await keepRefusedLogin()
    const stream = new Blob(['some text']).stream()
    const init = { method: 'PUT', body: stream, duplex: 'half' } as RequestInit
    expect(await answerOf(fetching()(api.origin, init))).toEqual(REFUSED)
    expect({ bodies: api.received.map(({ body }) => body), refreshes: issuer.refreshes }).toEqual({
      bodies: ['some text'],
      refreshes: 0,
    })
  })

  test('of a key that cannot be renewed, the 401 is returned', async () => {
    await home.keep(sampleCredential({ method: 'api_key', refreshToken: undefined, expiresAt: undefined }))
    expect(await answerOf(fetching()(api.origin))).toEqual(REFUSED)
    expect(api.received.length).toBe(1)
  })

  test('a login that is not renewed any more ends in its error', async () => {
    await keepRefusedLogin()
    issuer.endLogin(home.kept()?.refreshToken ?? '')
    await expect(fetching()(api.origin)).rejects.toMatchObject({ code: 'refresh_refused' })
  })

  test('a provider that cannot be asked is not taken for a bad login', async () => {
    await keepRefusedLogin()
    await issuer.close()
    await expect(fetching()(api.origin)).rejects.toMatchObject({ code: 'network' })
  })
})

test('without a login, no request is made but to those who get no token anyway', async () => {
  await expect(fetching()(api.origin)).rejects.toMatchObject({ code: 'not_logged_in' })
  expect(api.received).toEqual([])
  const other = await startApi()
  expect(await answerOf(fetching()(other.origin))).toEqual(REFUSED)
})
