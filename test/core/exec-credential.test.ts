import { describe, expect, test } from 'vitest'
import { execCredential, requestedApiVersion } from '../../src/core/exec-credential.ts'
import type { IssuedToken } from '../../src/core/issued-token.ts'
import { NOW } from '../support/credentials.ts'
import { thrown } from '../support/thrown.ts'

const V1 = 'client.authentication.k8s.io/v1'
const V1BETA1 = 'client.authentication.k8s.io/v1beta1'
const TOKEN = { accessToken: 'the-token', expiresAt: NOW } as IssuedToken

function asking(apiVersion: unknown): string {
  return JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } })
}

describe('the credential', () => {
  test.each([V1, V1BETA1])('has the token and its end (%s)', (apiVersion) => {
    expect(execCredential(TOKEN, apiVersion)).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      status: { token: 'the-token', expirationTimestamp: '2026-09-21T14:13:20Z' },
    })
  })

  test('leaves an end out that is not known, or that cannot be written', () => {
    const found = [undefined, 1e12].map((expiresAt) => execCredential({ ...TOKEN, expiresAt }, V1))
    const credential = { apiVersion: V1, kind: 'ExecCredential', status: { token: 'the-token' } }
    expect(found.map((one) => JSON.stringify(one))).toEqual(Array(2).fill(JSON.stringify(credential)))
  })
})

describe('the version', () => {
  test.each([
    [asking(V1), V1],
    [asking(V1BETA1), V1BETA1],
    [undefined, V1],
    ['', V1],
  ])('that %s asks for is %s', (execInfo, version) => {
    expect(requestedApiVersion(execInfo)).toBe(version)
  })

  test.each([
    [
      asking('client.authentication.k8s.io/v1alpha1'),
      'KUBERNETES_EXEC_INFO asks for the API version "client.authentication.k8s.io/v1alpha1", which is not known.',
    ],
    [asking('v1'), 'KUBERNETES_EXEC_INFO asks for the API version "v1", which is not known.'],
    [asking(7), 'KUBERNETES_EXEC_INFO asks for the API version 7, which is not known.'],
    [asking(undefined), 'KUBERNETES_EXEC_INFO asks for the API version null, which is not known.'],
    [JSON.stringify({ apiVersion: V1 }), 'KUBERNETES_EXEC_INFO does not hold an ExecCredential.'],
    ['null', 'KUBERNETES_EXEC_INFO does not hold an ExecCredential.'],
    ['[]', 'KUBERNETES_EXEC_INFO does not hold an ExecCredential.'],
    ['{', 'KUBERNETES_EXEC_INFO does not hold JSON.'],
  ])('that %s asks for is refused', (execInfo, message) => {
    expect(thrown(() => requestedApiVersion(execInfo))).toMatchObject({
      code: 'usage',
      message,
      nextStep: `use apiVersion: ${V1} or ${V1BETA1}`,
    })
  })
})
