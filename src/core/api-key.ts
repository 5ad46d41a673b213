import { AuthError } from '../errors.ts'
import type { AccessTokenPorts, AccessTokenRequest, AccessTokenResult } from './access-token.ts'
import { attemptRead } from './attempt-read.ts'
import type { Credential } from './credential.ts'
import { givenCredential, type TokenFacts } from './log-in-secret.ts'
import type { HeldCredential, StoredCredential } from './ports.ts'
import { isRenewed, present, refresh } from './refresh.ts'

export interface ApiKeyPorts extends AccessTokenPorts {
  /** Reads what a token says of itself. */
  readonly factsOf: (token: string) => TokenFacts
}

/**
 * The API key of a login, as a credential of its own: the key that was given by hand, else the one minted before, else
 * one minted now. Whatever the number of processes that want it, the provider is asked for one, and it is saved before
 * anybody gets it.
 * @throws {AuthError} `no_api_key` when the provider refuses, `usage` for a login that can have none, `not_logged_in`; a
 * passing fault of provider or disk, and then a later call asks anew.
 */
export async function apiKey(request: AccessTokenRequest, ports: ApiKeyPorts): Promise<AccessTokenResult> {
  const { profile } = request
  if (ports.environment === undefined) await ports.store.recover(profile)
  const stored =
    ports.environment === undefined
      ? ports.store.read(profile)
      : { credential: ports.environment, generation: 0 }
  const known = stored && keyIn(stored)
  if (known !== undefined) return { stored: known, short: false }
  checkMintable(present(stored, profile).credential, request)
  await renewIdToken(request, ports)
  return { stored: await mint(request, ports), short: false }
}

/** `undefined`: there is none yet. A key outlives the login it came from, so a refusal of that one does not matter. */
function keyIn(stored: StoredCredential): StoredCredential | undefined {
  const { credential, generation } = stored
  if (credential.method === 'api_key') return stored
  const { mintedApiKey } = credential
  return mintedApiKey === undefined
    ? undefined
    : { credential: keyCredential(credential, mintedApiKey), generation }
}

function keyCredential({ account, obtainedAt }: Credential, key: string): Credential {
  return givenCredential(
    'api_key',
    key,
    { account, expiresAt: undefined, isJwt: false, scopes: undefined },
    obtainedAt,
  )
}

function checkMintable({ method, issuer }: Credential, { mayRefresh }: AccessTokenRequest): void {
  if (method === 'oauth') {
    throw new AuthError('usage', `Only a login at OpenAI can have an API key; this one is at ${issuer}.`, {
      nextStep: 'use the access token: codex-auth token',
    })
  }
  if (method === 'access_token') {
    throw new AuthError('usage', 'An access token given by hand cannot be traded for an API key.', {
      nextStep: 'sign in: codex-auth login --with-minted-api-key',
    })
  }
  if (!mayRefresh) {
    throw new AuthError('no_api_key', 'No API key is stored, and --no-refresh forbids to ask for one.', {
      nextStep: 'leave out --no-refresh',
    })
  }
}

/** An id token lives an hour; a refresh brings a new one. */
async function renewIdToken({ profile, onWait }: AccessTokenRequest, ports: ApiKeyPorts): Promise<void> {
  const before = present(ports.store.read(profile), profile)
  const { idToken, clockSkew } = before.credential
  const end = idToken === undefined ? 0 : (ports.factsOf(idToken).expiresAt ?? Infinity)
  if (end > ports.clock.now() + clockSkew) return
  await refresh(
    {
      profile,
      reason: 'forced',
      enough: (stored) => isRenewed(stored, before),
      ...(onWait && { onWait }),
    },
    ports,
  )
}

async function mint({ profile, onWait }: AccessTokenRequest, ports: ApiKeyPorts): Promise<StoredCredential> {
  const minted = await ports.store.exclusively<StoredCredential>(profile, {
    settled: () => {
      const stored = ports.store.read(profile)
      return stored && keyIn(stored)
    },
    work: async (held) => {
      try {
        return await mintHeld(held, profile, ports)
      } finally {
        held.release()
      }
    },
    ...(onWait && { onWait }),
  })
  // A signal that came after the request was sent has waited until the key was saved.
  ports.interruption.throwIfAborted()
  return minted
}

async function mintHeld(
  held: HeldCredential,
  profile: string,
  ports: ApiKeyPorts,
): Promise<StoredCredential> {
  const { credential } = present(held.read(), profile)
  const { idToken } = credential
  if (idToken === undefined) {
    throw new AuthError('no_api_key', 'The provider gave this login no id token to get an API key with.')
  }
  const provider = await ports.providers.open({ ...credential, name: credential.provider })
  ports.interruption.throwIfAborted()
  held.reserve()
  const mintedApiKey = await provider.mintApiKey(idToken)
  const latest = ownerOfKey(held, credential)
  const { generation } = held.save({ ...latest, mintedApiKey })
  return { credential: keyCredential(latest, mintedApiKey), generation }
}

/**
 * The login as it is by now: another process can have refreshed, replaced or removed it while this one was suspended. A file
 * that was damaged meanwhile keeps neither the login nor its key from being saved.
 */
function ownerOfKey(held: HeldCredential, asked: Credential): Credential {
  const stored = attemptRead(() => held.read())
  if (stored instanceof AuthError) return asked
  if (stored === undefined) throw lostKey('The login that the API key is for is gone.')
  const { obtainedAt, account } = stored.credential
  if (obtainedAt === asked.obtainedAt && account.id === asked.account.id) return stored.credential
  throw lostKey('Another login took the place of the one that the API key is for.')
}

/** No provider takes such a key back for us. */
function lostKey(why: string): AuthError {
  return new AuthError('no_api_key', `${why} The new API key is lost here, and works.`, {
    nextStep: 'delete the new key at https://platform.openai.com/api-keys, then run the command again',
  })
}
