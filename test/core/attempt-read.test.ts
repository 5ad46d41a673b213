import { expect, test } from 'vitest'
import { attemptRead } from '../../src/core/attempt-read.ts'
import { AuthError } from '../../src/errors.ts'
import { sampleCredential } from '../support/credentials.ts'

test('a credential that can be read is passed on, and so is none', () => {
  const stored = { credential: sampleCredential(), generation: 3 }
  expect([attemptRead(() => stored), attemptRead(() => undefined)]).toEqual([stored, undefined])
})

test('a credential that cannot be read is an answer', () => {
  const fault = new AuthError('store_corrupt', 'The stored credential is damaged.')
  const found = attemptRead(() => {
    throw fault
  })
  expect(found).toBe(fault)
})

test('a bug stays one', () => {
  const bug = new TypeError('x is not a function')
  const read = (): undefined => {
    throw bug
  }
  expect(() => attemptRead(read)).toThrow(bug)
})
