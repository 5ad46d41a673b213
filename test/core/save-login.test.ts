import { describe, expect, test } from 'vitest'
import type { Account, Credential } from '../../src/core/credential.ts'
import { accountFault, revokePrevious, saveLogin, type AccountRules } from '../../src/core/save-login.ts'
import { AuthError } from '../../src/errors.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'
import { MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { described, rejected } from '../support/thrown.ts'

const ADA: Account = { email: 'ada@example.org', id: 'account-1', userId: 'user-1', plan: 'plus' }
const BOB: Account = { email: 'bob@example.org', id: 'account-2', userId: 'user-2', plan: 'team' }
const NOBODY: Account = { email: undefined, id: undefined, userId: undefined, plan: undefined }

/** Whether somebody was asked, and what happened to the profile. */
async function saveOver(
  before: Credential | undefined,
  after: Credential,
  rules: Partial<AccountRules> = {},
) {
  const memory = new MemoryPorts(before)
  const asked: [Account, Account][] = []
  const mayReplace: AccountRules['mayReplace'] = async (one, other) => {
    asked.push([one.account, other.account])
    return false
  }
  const all = { workspaces: [], expected: undefined, mayReplace, ...rules }
  const saving = saveLogin(PROFILE, after, all, memory)
  const outcome = await saving.then(
    () => 'saved' as const,
    (error: unknown) => described(error),
  )
  return { outcome, asked, isKept: memory.stored?.credential === before, journal: memory.journal }
}

const SAVED = { outcome: 'saved', asked: [], isKept: false, journal: ['lock', 'save', 'unlock'] }
const REVOKED = ['open https://auth.openai.com', 'discover', 'revoke another login']

function refused(message: string, nextStep = 'codex-auth login') {
  return { code: 'wrong_account', exitCode: 8, message, nextStep }
}

describe('a login over one that is there', () => {
  test.each([
    ['nothing', undefined, ADA],
    ['the same account', sampleCredential({ account: ADA }), ADA],
    ['the same account with another plan', sampleCredential({ account: ADA }), { ...ADA, plan: 'free' }],
    ['an account that tells nothing', sampleCredential({ account: NOBODY }), ADA],
    [
      'an account of which only the address is known',
      sampleCredential({ account: { ...NOBODY, email: ADA.email } }),
      ADA,
    ],
    [
      'an account with nothing to compare',
      sampleCredential({ account: { ...NOBODY, email: BOB.email } }),
      { ...ADA, email: undefined },
    ],
    [
      'another account that the provider refuses',
      sampleCredential({ account: BOB, refusal: { reason: 'revoked', at: NOW } }),
      ADA,
    ],
    [
      'another account that has ended for good',
      sampleCredential({ account: BOB, refreshToken: undefined, expiresAt: NOW }),
      ADA,
    ],
  ])('takes the place of %s without a question', async (_what, before, account) => {
    expect(await saveOver(before, sampleCredential({ account }))).toEqual(SAVED)
  })

  test('takes the place of what cannot be read without a question', async () => {
    const memory = new MemoryPorts(sampleCredential({ account: BOB }))
    memory.faults.set('read', new AuthError('store_corrupt', 'Damaged.'))
    const rules = {
      workspaces: [],
      expected: undefined,
      mayReplace: () => Promise.reject(new Error('asked')),
    }
    expect(await saveLogin(PROFILE, sampleCredential({ account: ADA }), rules, memory)).toMatchObject({
      before: undefined,
    })
  })

  test.each([
    ['another account', BOB, 'bob@example.org'],
    ['another workspace of the same person', { ...ADA, id: 'account-2' }, 'ada@example.org'],
    ['another person in the same workspace', { ...ADA, userId: 'user-2' }, 'ada@example.org'],
    ['another address', { ...ADA, email: 'ada@example.net' }, 'ada@example.net'],
    ['another id, without an address', { ...NOBODY, id: 'account-2' }, 'account-2'],
    ['another user, without anything else', { ...NOBODY, userId: 'user-2' }, 'user-2'],
  ])('is asked about over %s, and without a yes its own tokens are revoked', async (_what, there, name) => {
    const before = sampleCredential({ account: there })
    expect(await saveOver(before, sampleCredential({ account: ADA }))).toEqual({
      outcome: refused(
        `The profile "${PROFILE}" holds a login of ${name}, and ada@example.org signed in. Nothing was changed.`,
        'sign in to another profile with --profile <name>, or replace this login: codex-auth login --force',
      ),
      asked: [[there, ADA]],
      isKept: true,
      journal: REVOKED,
    })
  })

  test.each([
    ['another account that lives without being renewable', { refreshToken: undefined, expiresAt: NOW + 60 }],
    ['another account that nobody told the end of', { refreshToken: undefined, expiresAt: undefined }],
    ['another account that renews itself', { expiresAt: NOW - 60 }],
  ])('is asked about over %s', async (_what, changes) => {
    const before = sampleCredential({ account: BOB, ...changes })
    expect(await saveOver(before, sampleCredential({ account: ADA }))).toMatchObject({
      asked: [[BOB, ADA]],
      isKept: true,
    })
  })

  test.each([
    ['an API key', { method: 'api_key' }, 'an API key was given'],
    ['a token without a name', { method: 'access_token' }, 'an access token was given'],
    [
      'a token of another account',
      { method: 'access_token', account: BOB },
      'the token is one of bob@example.org',
    ],
  ] as const)('is not ended unasked by %s', async (_what, given, arrival) => {
    const before = sampleCredential({ account: ADA })
    const after = sampleCredential({ account: NOBODY, refreshToken: undefined, ...given })
    expect(await saveOver(before, after)).toEqual({
      outcome: refused(
        `The profile "${PROFILE}" holds a login of ada@example.org, and ${arrival}. Nothing was changed.`,
        'sign in to another profile with --profile <name>, or replace this login: codex-auth login --force',
      ),
      asked: [[ADA, after.account]],
      isKept: true,
      journal: [],
    })
  })

  test.each([
    ['an API key', sampleCredential({ method: 'api_key', account: NOBODY, refreshToken: undefined })],
    [
      'a token that cannot be renewed',
      sampleCredential({ method: 'access_token', account: ADA, refreshToken: undefined }),
    ],
  ])('is a key that takes the place of %s without a question', async (_what, before) => {
    const after = sampleCredential({ method: 'api_key', account: NOBODY, refreshToken: undefined })
    expect(await saveOver(before, after)).toEqual(SAVED)
  })

  test('is not saved when the sign-in is taken over before the answer', async () => {
    const over = new AbortController()
    const memory = new MemoryPorts(sampleCredential({ account: BOB }), over.signal)
    const gone = new AuthError('taken_over', 'Another sign-in has begun.')
    const mayReplace: AccountRules['mayReplace'] = (_before, _after, signal) => {
      over.abort(gone)
      return Promise.reject(signal.reason as AuthError)
    }
    const rules = { workspaces: [], expected: undefined, mayReplace }
    const saving = saveLogin(PROFILE, sampleCredential({ account: ADA }), rules, memory)
    await expect(saving).rejects.toBe(gone)
    expect(memory.journal).toEqual(REVOKED)
  })

  test('is saved with a yes', async () => {
    const rules = { mayReplace: async () => true }
    const before = sampleCredential({ account: BOB })
    expect(await saveOver(before, sampleCredential({ account: ADA }), rules)).toEqual(SAVED)
  })

  test('is not saved, and revoked, when there is no answer', async () => {
    const memory = new MemoryPorts(sampleCredential({ account: BOB }))
    const { stored } = memory
    const gone = new AuthError('interrupted', 'Interrupted.')
    const rules = { workspaces: [], expected: undefined, mayReplace: () => Promise.reject(gone) }
    const saving = saveLogin(PROFILE, sampleCredential({ account: ADA }), rules, memory)
    await expect(saving).rejects.toBe(gone)
    expect({ stored: memory.stored, journal: memory.journal }).toEqual({ stored, journal: REVOKED })
  })

  test('is refused all the same when its revocation is not confirmed', async () => {
    const memory = new MemoryPorts(sampleCredential({ account: BOB }))
    memory.faults.set('revoke', new AuthError('network', 'It is away.'))
    const rules = { workspaces: [], expected: undefined, mayReplace: async () => false }
    const saving = saveLogin(PROFILE, sampleCredential({ account: ADA }), rules, memory)
    expect(await rejected(saving)).toMatchObject({ code: 'wrong_account' })
  })
})

describe('the account that was asked for', () => {
  test.each(['ada@example.org', 'ADA@Example.ORG', 'account-1', 'user-1'])('may be called %s', (expected) => {
    expect(accountFault(ADA, { workspaces: [], expected })).toBeUndefined()
  })

  test.each(['', 'ada', 'bob@example.org', 'account-2', 'plus', 'undefined'])(
    'is not %j',
    async (expected) => {
      expect(await saveOver(undefined, sampleCredential({ account: ADA }), { expected })).toEqual({
        outcome: refused(`The sign-in was for ${expected}, and ada@example.org signed in.`),
        asked: [],
        isKept: true,
        journal: REVOKED,
      })
    },
  )

  test('is none of those that have no name', async () => {
    const credential = sampleCredential({ account: NOBODY })
    expect(await saveOver(undefined, credential, { expected: 'ada@example.org' })).toMatchObject({
      outcome: refused(
        'The sign-in was for ada@example.org, and an account the provider did not name signed in.',
      ),
    })
  })

  test('may be in any of the workspaces that were asked for, and in no other', async () => {
    const workspaces = ['account-2', 'account-1']
    expect(accountFault(ADA, { workspaces, expected: undefined })).toBeUndefined()
    const before = sampleCredential({ account: BOB })
    const rules = { workspaces: ['account-2', 'account-3'] }
    expect(await saveOver(before, sampleCredential({ account: ADA }), rules)).toEqual({
      outcome: refused(
        'This sign-in is limited to the workspace account-2 or account-3, and another was chosen.',
      ),
      asked: [],
      isKept: true,
      journal: REVOKED,
    })
  })

  test('is not replaced by a yes', async () => {
    const rules = { expected: 'bob@example.org', mayReplace: async () => true }
    const before = sampleCredential({ account: BOB })
    expect(await saveOver(before, sampleCredential({ account: ADA }), rules)).toMatchObject({
      outcome: { code: 'wrong_account' },
      isKept: true,
    })
  })
})

test('a login that another process keeps from being saved is revoked', async () => {
  const before = sampleCredential({ account: ADA })
  const memory = new MemoryPorts(before)
  memory.faults.set('lock', new AuthError('store_busy', 'The lock is held.'))
  const rules = { workspaces: [], expected: undefined, mayReplace: async () => true }
  const saving = saveLogin(PROFILE, sampleCredential({ account: ADA }), rules, memory)
  expect(await rejected(saving)).toMatchObject({ code: 'store_busy', message: 'The lock is held.' })
  expect({ isKept: memory.stored?.credential === before, journal: memory.journal }).toEqual({
    isKept: true,
    journal: REVOKED,
  })
})

test('a login whose save fails is not revoked: it may lie at a second place', async () => {
  const memory = new MemoryPorts(undefined)
  memory.faults.set('save', new AuthError('store_unwritable', 'The disk is full.'))
  const rules = { workspaces: [], expected: undefined, mayReplace: async () => true }
  const saving = saveLogin(PROFILE, sampleCredential({ account: ADA }), rules, memory)
  expect(await rejected(saving)).toMatchObject({ code: 'store_unwritable' })
  expect(memory.journal).toEqual(['lock', 'save', 'unlock'])
})

const MINE = {
  provider: 'oidc',
  method: 'oauth',
  issuer: 'https://id.example.com',
  clientId: 'me',
} as const

/** What is asked of the provider after a login was replaced, and after one was refused. */
async function revocations(one: Partial<Credential>, other: Partial<Credential>) {
  const [before, after] = [sampleCredential(one), sampleCredential(other)]
  const replaced = new MemoryPorts(after)
  await revokePrevious(before, after, replaced)
  const { journal } = await saveOver(before, after, { expected: 'somebody else' })
  return { replaced: replaced.journal, refused: journal }
}

describe('two logins at one OpenID provider', () => {
  test.each([
    ['of the same account', ADA, { ...ADA, email: 'ada@example.net' }],
    ['of which one tells no account', NOBODY, ADA],
    ['of which neither tells an account', NOBODY, NOBODY],
  ])(
    '%s may be one grant there, and neither is revoked for the sake of the other',
    async (_what, one, other) => {
      expect(await revocations({ ...MINE, account: one }, { ...MINE, account: other })).toEqual({
        replaced: [],
        refused: [],
      })
    },
  )

  test.each([
    ['another account', { ...MINE, account: BOB }],
    ['another client', { ...MINE, clientId: 'you' }],
    ['another issuer', { ...MINE, issuer: 'https://id.example.net' }],
    ['OpenAI', {}],
  ])('but with %s, each is a grant of its own', async (_what, one) => {
    const { replaced, refused: onRefusal } = await revocations(one, { ...MINE, account: ADA })
    const issuer = 'issuer' in one ? one.issuer : 'https://auth.openai.com'
    expect({ replaced, refused: onRefusal }).toEqual({
      replaced: [`open ${issuer}`, 'discover', 'revoke another login'],
      refused: ['open https://id.example.com', 'discover', 'revoke another login'],
    })
  })
})

describe('the login before', () => {
  test.each([
    ['is not revoked when it is the new one', {}, {}, []],
    [
      'is not revoked when its refresh token is the new one’s',
      { accessToken: 'before' },
      { accessToken: 'after' },
      [],
    ],
    [
      'is revoked when neither has a refresh token',
      { accessToken: 'before', refreshToken: undefined },
      { accessToken: 'after', refreshToken: undefined },
      REVOKED,
    ],
    ['is not revoked when it is a key', { method: 'api_key', refreshToken: undefined }, {}, []],
  ] as const)('%s', async (_what, one, other, journal) => {
    const credential = sampleCredential()
    const memory = new MemoryPorts(credential)
    await revokePrevious({ ...credential, ...one }, { ...credential, ...other }, memory)
    expect(memory.journal).toEqual(journal)
  })
})
