import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answers, hold, startFakeIssuer, type FakeIssuer } from '../../support/fake-issuer.ts'
import type { ScriptedAnswer } from '../../support/fake-issuer.ts'
import { leaveHalfway } from './plain-client.ts'

let issuer: FakeIssuer

beforeEach(async () => {
  issuer = await startFakeIssuer()
})

afterEach(() => issuer.close())

function refresh(refreshToken: string, options: RequestInit = {}): Promise<Response> {
  return fetch(`${issuer.issuer}/oauth/token`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'refresh_token',
      client_id: issuer.clientId,
      refresh_token: refreshToken,
    }),
    ...options,
  })
}

/** What the client saw, and whether its refresh token is still good. */
async function played(answer: ScriptedAnswer) {
  const { refreshToken } = issuer.issueLogin()
  issuer.nextAnswers.push(answer)
  const response = await refresh(refreshToken)
  const { status, headers } = response
  return {
    status,
    type: headers.get('content-type'),
    body: await response.text(),
    headers,
    unspent: issuer.accepts(refreshToken),
  }
}

describe('an answer given without looking at the request', () => {
  test.each([
    ['a page with 200', answers.html(200), 200, /^<!doctype html>/],
    ['a page with 403', answers.html(403), 403, /^<!doctype html>/],
    ['a page with 502', answers.html(502), 502, /^<!doctype html>/],
    ['nothing at all', answers.empty(), 200, /^$/],
    ['half of a JSON text', answers.notJson(), 200, /^\{"access_token":$/],
    ['a JSON array', answers.jsonArray(), 200, /^\[\]$/],
    ['any JSON', answers.json(400, { error: 'invalid_scope' }), 400, /^\{"error":"invalid_scope"\}$/],
    ['too many requests', answers.rateLimited('2'), 429, /^\{\}$/],
    ['an outage', answers.unavailable('2'), 503, /^\{\}$/],
    ['a redirect', answers.redirect(302, 'http://127.0.0.1:9/'), 302, /^$/],
    ['a redirect that keeps the method', answers.redirect(307, 'http://127.0.0.1:9/'), 307, /^$/],
  ])('%s leaves the refresh token unspent', async (_, answer, status, body) => {
    expect(await played(answer)).toMatchObject({ status, body: expect.stringMatching(body), unspent: true })
  })

  test('may come with the tokens rotated all the same', async () => {
    const { status, unspent } = await played({ ...answers.html(502), stage: 'processed' })
    expect({ status, unspent }).toEqual({ status: 502, unspent: false })
  })

  test('says where it has more to say', async () => {
    const limited = await played(answers.rateLimited('7'))
    const moved = await played(answers.redirect(307, 'http://127.0.0.1:9/elsewhere'))
    expect([limited.headers.get('retry-after'), moved.headers.get('location')]).toEqual([
      '7',
      'http://127.0.0.1:9/elsewhere',
    ])
  })

  test('is given once', async () => {
    expect((await played(answers.html(502))).status).toBe(502)
    expect((await played(answers.genuine)).status).toBe(200)
  })

  test('is given every time while it stands', async () => {
    issuer.behaviour.standingAnswer = answers.unavailable('1')
    const { refreshToken } = issuer.issueLogin()
    const outage = [await refresh(refreshToken), await refresh(refreshToken)].map(({ status }) => status)
    issuer.behaviour.standingAnswer = undefined
    expect([...outage, (await refresh(refreshToken)).status]).toEqual([503, 503, 200])
  })
})

describe('a genuine answer', () => {
  test('may lack a field', async () => {
    const { body, unspent } = await played(answers.without('access_token', 'id_token'))
    expect({ names: Object.keys(JSON.parse(body)), unspent }).toEqual({
      names: ['token_type', 'expires_in', 'refresh_token', 'scope'],
      unspent: false,
    })
  })

  test('may have a field of another type', async () => {
    const { body } = await played(answers.with({ access_token: 42 }))
    expect(JSON.parse(body)).toMatchObject({ access_token: 42, token_type: 'Bearer' })
  })

  test('may have another content type', async () => {
    const { status, type } = await played(answers.contentType('text/plain'))
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain' })
  })

  test('may have a date of its own', async () => {
    const { headers } = await played(answers.dated(3600))
    const ahead = (Date.parse(headers.get('date') ?? '') - Date.now()) / 1000
    expect(ahead).toBeGreaterThan(3590)
    expect(ahead).toBeLessThanOrEqual(3600)
  })

  test('waits until it is let go, with the tokens rotated', async () => {
    const { refreshToken } = issuer.issueLogin()
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    let answered = false
    const response = refresh(refreshToken).then(({ status }) => {
      answered = true
      return status
    })
    await held.arrived
    expect({ answered, unspent: issuer.accepts(refreshToken) }).toEqual({ answered: false, unspent: false })
    held.release()
    expect(await response).toBe(200)
  })

  test('waits before anything is done as well', async () => {
    const { refreshToken } = issuer.issueLogin()
    let unspent: boolean | undefined
    const beforeProcessing = async () => {
      unspent = issuer.accepts(refreshToken)
    }
    issuer.nextAnswers.push({ ...answers.genuine, beforeProcessing })
    expect((await refresh(refreshToken)).status).toBe(200)
    expect(unspent).toBe(true)
  })

  test.each([
    ['for one answer', () => played({ ...answers.genuine, delay: 100 })],
    ['for all', () => Object.assign(issuer.behaviour, { answerDelay: 100 }) && played(answers.genuine)],
  ])('comes no sooner than it is told, %s', async (_, play) => {
    const started = performance.now()
    await play()
    // A timer may come a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(99)
  })

  test('does not keep the issuer from closing', async () => {
    const slow = await startFakeIssuer()
    const held = hold({ ...answers.genuine, delay: 60_000 })
    const read = new Promise<void>((resolve) => {
      slow.nextAnswers.push({ ...held.answer, beforeProcessing: async () => resolve() })
    })
    const outcome = fetch(`${slow.issuer}/oauth/token`, { method: 'POST', body: 'a=b' }).then(
      () => 'answered',
      () => 'ended',
    )
    await read
    await slow.close()
    expect(await outcome).toBe('ended')
  })
})

describe('a connection', () => {
  test('ends before the request is read', async () => {
    const { refreshToken } = issuer.issueLogin()
    issuer.nextAnswers.push(answers.hangUpUnread)
    await expect(refresh(refreshToken)).rejects.toThrow(TypeError)
    expect({ refreshes: issuer.refreshes, unspent: issuer.accepts(refreshToken) }).toEqual({
      refreshes: 0,
      unspent: true,
    })
    expect(issuer.requests.map(({ path, parameters }) => ({ path, parameters }))).toEqual([
      { path: '/oauth/token', parameters: undefined },
    ])
  })

  test('ends with the tokens rotated and not a byte sent', async () => {
    const { refreshToken } = issuer.issueLogin()
    issuer.nextAnswers.push(answers.dropped)
    await expect(refresh(refreshToken)).rejects.toThrow(TypeError)
    expect({ refreshes: issuer.refreshes, unspent: issuer.accepts(refreshToken) }).toEqual({
      refreshes: 1,
      unspent: false,
    })
  })

  test('ends in the middle of the answer', async () => {
    const { refreshToken } = issuer.issueLogin()
    issuer.nextAnswers.push(answers.cutOff)
    const response = await refresh(refreshToken)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow(TypeError)
    expect(issuer.accepts(refreshToken)).toBe(false)
  })

  test('stays open with nothing on it until the issuer closes', async () => {
    const silent = await startFakeIssuer({ standingAnswer: answers.silence })
    const read = new Promise<void>((resolve) => {
      silent.nextAnswers.push({ ...answers.silence, beforeAnswer: async () => resolve() })
    })
    const response = fetch(`${silent.issuer}/oauth/token`, { method: 'POST', body: 'a=b' })
    const outcome = response.then(
      () => 'answered',
      () => 'ended',
    )
    await read
    await silent.close()
    expect(await outcome).toBe('ended')
  })
})

describe('a body', () => {
  test('is larger than anyone should read', async () => {
    issuer.nextAnswers.push(answers.huge())
    const response = await refresh(issuer.issueLogin().refreshToken)
    expect((await response.text()).length).toBeGreaterThan(1024 * 1024)
  })

  test('may be left unread', async () => {
    issuer.nextAnswers.push(answers.huge(64 * 1024 * 1024))
    const response = await refresh(issuer.issueLogin().refreshToken)
    await response.body?.cancel()
    expect((await refresh(issuer.issueLogin().refreshToken)).status).toBe(200)
  })

  test('comes byte by byte', async () => {
    issuer.nextAnswers.push(answers.drip(5))
    const response = await refresh(issuer.issueLogin().refreshToken)
    const chunks: string[] = []
    for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString())
    expect(chunks.join('')).toBe('{"token_type":"Bearer"}')
    expect(chunks.length).toBeGreaterThan(10)
  })

  test('that drips ends with the issuer', async () => {
    const dripping = await startFakeIssuer({ standingAnswer: answers.drip(60_000) })
    const response = await fetch(`${dripping.issuer}/oauth/token`, { method: 'POST', body: 'a=b' })
    await dripping.close()
    await expect(response.text()).rejects.toThrow(TypeError)
  })
})

test('the revocation endpoint follows a script of its own', async () => {
  const { refreshToken } = issuer.issueLogin()
  const revoke = () =>
    fetch(`${issuer.issuer}/oauth/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: refreshToken, client_id: issuer.clientId }),
    })
  issuer.nextRevocationAnswers.push(answers.unavailable('1'))
  expect([(await revoke()).status, issuer.accepts(refreshToken)]).toEqual([503, true])
  expect([(await revoke()).status, issuer.accepts(refreshToken)]).toEqual([200, false])
})

test('a client that goes away in the middle of its request is no fault of the issuer', async () => {
  const leaving = await startFakeIssuer()
  await leaveHalfway(`${leaving.issuer}/oauth/token`)
  await expect(leaving.close()).resolves.toBe(undefined)
})

test('a hook that throws is told to whoever closes the issuer', async () => {
  const faulty = await startFakeIssuer()
  const fault = new Error('the hook is wrong')
  faulty.nextAnswers.push({ ...answers.genuine, beforeAnswer: () => Promise.reject(fault) })
  await expect(fetch(`${faulty.issuer}/oauth/token`, { method: 'POST', body: 'a=b' })).rejects.toThrow(
    TypeError,
  )
  await expect(faulty.close()).rejects.toMatchObject({ errors: [fault] })
})
