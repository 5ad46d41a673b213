import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answers, startFakeIssuer, type FakeIssuer } from '../../support/fake-issuer.ts'
import { postForm, postJson, type Reply } from './plain-client.ts'

let issuer: FakeIssuer

beforeEach(async () => {
  issuer = await startFakeIssuer()
})

afterEach(() => issuer.close())

function askForCode(): Promise<Reply> {
  return postJson(`${issuer.issuer}/api/accounts/deviceauth/usercode`, { client_id: issuer.clientId })
}

function poll({ body }: Reply, changes: object = {}): Promise<Reply> {
  const { device_auth_id, user_code } = body
  return postJson(`${issuer.issuer}/api/accounts/deviceauth/token`, {
    device_auth_id,
    user_code,
    ...changes,
  })
}

function exchange({ body }: Reply, changes: object = {}): Promise<Reply> {
  return postForm(`${issuer.issuer}/oauth/token`, {
    grant_type: 'authorization_code',
    client_id: issuer.clientId,
    code: String(body['authorization_code']),
    redirect_uri: `${issuer.issuer}/deviceauth/callback`,
    code_verifier: String(body['code_verifier']),
    ...changes,
  })
}

function refused(status: number, code: string): Reply {
  return {
    status,
    body: { error: { code, message: 'The device could not be signed in.', type: null } },
  }
}

describe('a device code', () => {
  test('comes with a code for the person, and seconds as a string', async () => {
    expect(await askForCode()).toEqual({
      status: 200,
      body: {
        device_auth_id: expect.stringMatching(/^deviceauth_[\w-]{43}$/),
        user_code: expect.stringMatching(/^[B-Z]{4}-[B-Z]{5}$/),
        interval: '5',
      },
    })
  })

  test.each([
    ['1', { interval: '1' }],
    [7, { interval: 7 }],
    [undefined, {}],
  ])('comes with the interval %j', async (interval, expected) => {
    issuer.behaviour.device = { ...issuer.behaviour.device, interval }
    const { device_auth_id: _, user_code: __, ...rest } = (await askForCode()).body
    expect(rest).toEqual(expected)
  })

  test('is not to be had where the person has not allowed it', async () => {
    issuer.behaviour.device = { ...issuer.behaviour.device, enabled: false }
    expect(await askForCode()).toEqual({
      status: 404,
      body: { error: { code: 'not_found', message: 'Not Found' } },
    })
  })

  test('is for the one client, and asked for in JSON', async () => {
    const address = `${issuer.issuer}/api/accounts/deviceauth/usercode`
    const { status, body } = await postJson(address, { client_id: 'another' })
    expect({ status, body }).toEqual({
      status: 400,
      body: { error: 'invalid_request', error_description: 'client_id is required, in JSON' },
    })
    expect((await postForm(address, { client_id: issuer.clientId })).status).toBe(400)
  })

  test('is traded for tokens, with the verifier and the redirect address of the issuer', async () => {
    const device = await askForCode()
    const approved = await poll(device)
    expect(approved).toEqual({
      status: 200,
      body: {
        authorization_code: expect.stringMatching(/^ac_/),
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        code_verifier: expect.stringMatching(/^[\w-]{86}$/),
      },
    })
    const wrong = await exchange(approved, { redirect_uri: 'http://localhost:1455/auth/callback' })
    expect(wrong.status).toBe(400)
    const again = await poll(await askForCode())
    expect((await exchange(again)).body).toMatchObject({ scope: 'openid profile email offline_access' })
    expect(issuer.liveFamilies()).toBe(1)
  })

  test('is approved once, and then it is unknown', async () => {
    const device = await askForCode()
    expect((await poll(device)).status).toBe(200)
    expect(await poll(device)).toEqual(refused(404, 'deviceauth_authorization_unknown'))
  })

  test('is unknown with the code of another person', async () => {
    const device = await askForCode()
    const other = await askForCode()
    const { user_code } = other.body
    expect(await poll(device, { user_code })).toEqual(refused(404, 'deviceauth_authorization_unknown'))
  })

  test('is answered one after the other, each code from the start, and the last for good', async () => {
    issuer.behaviour.device = {
      ...issuer.behaviour.device,
      polls: [403, 404, 429, 500, 400, 'denied', 'expired'],
    }
    const device = await askForCode()
    const replies = []
    for (let polls = 0; polls < 8; polls++) replies.push(await poll(device))
    expect(replies).toEqual([
      refused(403, 'deviceauth_authorization_pending'),
      refused(404, 'deviceauth_authorization_pending'),
      refused(429, 'rate_limit_exceeded'),
      refused(500, 'server_error'),
      refused(400, 'invalid_request'),
      refused(400, 'access_denied'),
      refused(400, 'expired_token'),
      refused(400, 'expired_token'),
    ])
    expect((await poll(await askForCode())).status).toBe(403)
  })

  test('ends after a quarter of an hour, whatever the person has decided', async () => {
    const device = await askForCode()
    issuer.behaviour.clockOffset = 15 * 60 + 1
    expect(await poll(device)).toEqual(refused(400, 'expired_token'))
  })

  test('is one of the secrets, as are the authorization code and the verifier', async () => {
    const device = await askForCode()
    const { body } = await poll(device)
    expect(issuer.secrets).toEqual(
      new Set([device.body['device_auth_id'], body['authorization_code'], body['code_verifier']]),
    )
  })

  test('comes, and is polled, with any answer that is told', async () => {
    issuer.nextUserCodeAnswers.push(answers.json(503, {}))
    expect((await askForCode()).status).toBe(503)
    const device = await askForCode()
    issuer.nextDevicePollAnswers.push(answers.json(418, {}))
    expect([(await poll(device)).status, (await poll(device)).status]).toEqual([418, 200])
  })
})
