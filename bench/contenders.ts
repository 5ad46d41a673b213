import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineId } from '../src/adapters/store/machine-id.ts'
import { profileStore } from '../src/adapters/store/profile-store.ts'
import { PROGRAM } from '../test/support/cli.ts'
import { credentialOf, startFakeIssuer } from '../test/support/fake-issuer.ts'
import { REPORTER } from './reporter.ts'

export const ROLES = ['token', 'floor', 'empty'] as const

/** What is measured: `codex-auth token`, the least that does the same, and a Node.js program that does nothing. */
export type Role = (typeof ROLES)[number]

export interface Contenders {
  /** The `CODEX_AUTH_HOME` of all of them, with one stored login. */
  readonly home: string
  /** To be loaded by each of them, before itself. */
  readonly reporter: string
  readonly commands: Readonly<Record<Role, readonly string[]>>
  /** What each has to print. */
  readonly output: Readonly<Record<Role, string>>
}

/** Makes the programs and a login for them to read, and removes both when `work` is done. */
export async function withContenders(work: (contenders: Contenders) => Promise<void>): Promise<void> {
  // A short name: the paths a program is started with count, and above some 20 characters add 2 MiB to Node.js 24.
  const home = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    await work(await prepare(home))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function prepare(home: string): Promise<Contenders> {
  const accessToken = await storeLogin(home)
  const written = (name: string, source: string): string => {
    const path = join(home, name)
    writeFileSync(path, source, { mode: 0o600 })
    return path
  }
  const [floor, empty] = [written('floor.cjs', floorSource()), written('empty.cjs', '')]
  return {
    home,
    reporter: written('reporter.cjs', REPORTER),
    commands: { token: [PROGRAM, 'token'], floor: [floor], empty: [empty] },
    output: { token: `${accessToken}\n`, floor: `${accessToken}\n`, empty: '' },
  }
}

/** The files a sign-in leaves, written by the store itself. */
async function storeLogin(home: string): Promise<string> {
  const issuer = await startFakeIssuer()
  try {
    const credential = credentialOf(issuer.issueLogin({ accessTokenLifetime: 24 * 3600 }))
    const store = profileStore({ root: home, lockWait: 5, interruption: new AbortController().signal })
    await store.exclusively('default', { work: async (held) => held.save(credential) })
    return credential.accessToken
  } finally {
    await issuer.close()
  }
}

/**
 * No Node.js program can hand out the stored token for less: it reads the key and the credential, derives the sealing
 * key, opens the envelope and writes the token, without a single check. It does not even read the machine's id, with
 * which the key is mixed: that stands in it as a literal.
 */
function floorSource(): string {
  return `'use strict'
const { readFileSync, writeSync } = require('node:fs')
const { createDecipheriv, hkdfSync } = require('node:crypto')
const home = process.env.CODEX_AUTH_HOME
const secret = readFileSync(home + '/key')
const file = readFileSync(home + '/profiles/default.cred')
const key = hkdfSync('sha256', secret, ${JSON.stringify(machineId() ?? '')}, 'codex-auth/1 credential', 32)
const start = file.indexOf('\\n') + 1
const line = file.subarray(0, start)
const { nonce } = JSON.parse(line.subarray(line.indexOf(' ')))
const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'))
decipher.setAAD(line)
decipher.setAuthTag(file.subarray(-16))
const opened = decipher.update(file.subarray(start, -16))
decipher.final()
writeSync(1, JSON.parse(opened).access_token + '\\n')
`
}
