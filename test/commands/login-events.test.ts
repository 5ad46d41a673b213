import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { freshSecret } from '../support/credentials.ts'
import { statusOf, timestamp } from '../support/expected-output.ts'
import { credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import {
  keyboard,
  openPipe,
  piped,
  temporaryHome,
  type Ended,
  type Home,
  type RunOptions,
} from '../support/fake-surroundings.ts'
import { signIn } from '../support/sign-in.ts'

const ADDRESS = /^http\S+$/m
const CODE = /enter the code:\n\n(\S+)\n\n/

let issuer: FakeIssuer
let home: Home
let login: string
let byDevice: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  login = `login --events --no-browser --issuer ${issuer.issuer} --port 0`
  byDevice = `login --events --device-code --issuer ${issuer.issuer}`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

/** Every line is one object; the text ends with a whole line. */
function eventsIn({ stdout }: Pick<Ended, 'stdout'>): Record<string, unknown>[] {
  const lines = stdout.split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line))
}

function event(name: string, fields: object): object {
  return { schema_version: 1, event: name, ...fields }
}

function signedIn(now: number): object {
  const kept = home.kept()
  if (kept === undefined) throw new Error('nothing was kept')
  return event('signed_in', statusOf(home, kept, now))
}

interface Failure {
  readonly code: string
  readonly exit_code: number
  readonly message: unknown
  readonly next_step: unknown
}

function failed(failure: Partial<Failure>): object {
  return event('failed', {
    error: { message: expect.any(String), next_step: expect.any(String), ...failure },
  })
}

/** The whole of a sign-in that nobody finishes, from when its address is shown. */
async function abandoned(end: () => unknown, words = login, options: RunOptions = {}) {
  const running = home.start(words, options)
  await running.says(words.includes('--device-code') ? CODE : ADDRESS)
  end()
  const ended = await running.ended
  return { exitCode: ended.exitCode, events: eventsIn(ended) }
}

const nameOf = ({ event: name }: Record<string, unknown>): unknown => name

describe('login --events', () => {
  test('tells the address, until when it waits, and who signed in', async () => {
    const now = Math.floor(Date.now() / 1000)
    const running = home.start(login, { now })
    const [address] = await running.says(ADDRESS)
    await signIn(address)
    const ended = await running.ended
    expect(ended.exitCode).toBe(0)
    expect(eventsIn(ended)).toEqual([
      event('authorization_url', { url: address }),
      event('waiting', { method: 'browser', expires_at: timestamp(now + 300) }),
      signedIn(now),
    ])
  })

  test('tells of a code for another device', async () => {
    let now = Math.floor(Date.now() / 1000)
    const start = now
    issuer.behaviour.device = { enabled: true, interval: '5', polls: ['approved'] }
    const ended = await home.run(byDevice, { now: () => (now += 1) })
    const [code, waiting, last] = eventsIn(ended)
    expect(code).toEqual(
      event('device_code', {
        verification_url: `${issuer.issuer}/codex/device`,
        verification_url_complete: null,
        user_code: CODE.exec(ended.stderr)?.[1],
        expires_at: expect.any(String),
      }),
    )
    expect(waiting).toEqual(event('waiting', { method: 'device_code', expires_at: code?.['expires_at'] }))
    expect(Date.parse(String(code?.['expires_at']))).toBeGreaterThan(start * 1000)
    expect(last).toMatchObject(event('signed_in', { state: 'valid', method: 'chatgpt' }))
  })

  test('says until when it waits where that is sooner than the code ends', async () => {
    const now = Math.floor(Date.now() / 1000)
    let ahead = 0
    const { events } = await abandoned(() => (ahead = 61), `${byDevice} --timeout 1m`, {
      now: () => now + ahead,
    })
    expect(events[1]).toEqual(event('waiting', { method: 'device_code', expires_at: timestamp(now + 60) }))
    expect(events[2]).toEqual(
      failed({ code: 'login_incomplete', exit_code: 8, message: 'Nobody used the code in time.' }),
    )
  })

  test.each([
    ['--json', { terminal: false }],
    ['--quiet', { stdoutIsTerminal: true, terminal: true }],
  ])('prints one line for each event with %s and %j as well', async (flag, options) => {
    const running = home.start(`${login} ${flag}`, options)
    const [address] = await running.says(ADDRESS)
    await signIn(address)
    expect(eventsIn(await running.ended).map(nameOf)).toEqual(['authorization_url', 'waiting', 'signed_in'])
  })

  test('has nothing to wait for when a usable login is there', async () => {
    const now = Math.floor(Date.now() / 1000)
    await home.keep(credentialOf(issuer.issueLogin()))
    const ended = await home.run(`${login} --if-needed`, { now })
    expect(ended.exitCode).toBe(0)
    expect(eventsIn(ended)).toEqual([signedIn(now)])
  })

  test('tells of a key that was saved', async () => {
    const ended = await home.run('login --events --with-api-key', {
      stdin: piped(`sk-${freshSecret('api_key')}\n`),
    })
    expect(eventsIn(ended)).toEqual([expect.objectContaining(event('signed_in', { method: 'api_key' }))])
  })

  test('ends with the login when a signal came while it was being saved', async () => {
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const running = home.start(login, { interruption: stop.signal })
    const [address] = await running.says(ADDRESS)
    const page = signIn(address)
    await held.arrived
    stop.abort(new AuthError('terminated', 'Ended by SIGTERM.'))
    held.release()
    await page
    const ended = await running.ended
    expect(ended.exitCode).toBe(143)
    expect(eventsIn(ended).map(nameOf)).toEqual(['authorization_url', 'waiting', 'signed_in'])
  })
})

function bug(): never {
  throw new Error('a bug of this test')
}

describe('the last event says what failed when', () => {
  test.each([
    ['nobody is there', 'login --events', { code: 'interaction_required', exit_code: 9 }],
    [
      'nobody may be asked',
      'login --events --browser --no-input',
      { code: 'interaction_required', exit_code: 9 },
    ],
    ['a flag does not exist', 'login --events --nonsense', { code: 'usage', exit_code: 2 }],
    ['a flag stands before it', '--profile ../x login --events', { code: 'usage', exit_code: 2 }],
    [
      'a duration is none',
      '--profile work --json login --timeout x --events',
      { code: 'usage', exit_code: 2 },
    ],
    ['the issuer is none', 'login --events --no-browser --issuer ftp://x', { code: 'usage', exit_code: 2 }],
    ['no key comes', 'login --events --with-api-key', { code: 'usage', exit_code: 2 }],
  ])('%s', async (_what, words, failure) => {
    const ended = await home.run(words)
    expect(ended.exitCode).toBe(failure.exit_code)
    expect(eventsIn(ended)).toEqual([failed(failure)])
  })

  test('the settings are damaged', async () => {
    writeFileSync(join(home.path, 'config.json'), '{')
    expect(eventsIn(await home.run(login))).toEqual([failed({ code: 'usage', exit_code: 2 })])
  })

  test('the person says no', async () => {
    issuer.behaviour.authorizationError = { error: 'access_denied' }
    const running = home.start(login)
    const [address] = await running.says(ADDRESS)
    await signIn(address)
    const ended = await running.ended
    expect({ exitCode: ended.exitCode, last: eventsIn(ended).at(-1) }).toEqual({
      exitCode: 8,
      last: failed({ code: 'login_incomplete', exit_code: 8, message: 'The sign-in was denied.' }),
    })
  })

  test.each([
    ['interrupted', 130],
    ['terminated', 143],
  ] as const)('it is %s', async (code, exitCode) => {
    const stop = new AbortController()
    const ended = await abandoned(() => stop.abort(new AuthError(code, 'Ended.')), login, {
      interruption: stop.signal,
    })
    expect({ exitCode: ended.exitCode, last: ended.events.at(-1) }).toEqual({
      exitCode,
      last: failed({ code, exit_code: exitCode, message: 'Ended.' }),
    })
  })

  test('another sign-in takes its place', async () => {
    const stop = new AbortController()
    const ended = await abandoned(() => {
      void home.run(login, { interruption: stop.signal })
    })
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(ended.events.map(nameOf)).toEqual(['authorization_url', 'waiting', 'failed'])
    expect(ended.events.at(-1)).toEqual(
      failed({ code: 'login_incomplete', exit_code: 8, next_step: 'finish the other sign-in' }),
    )
  })

  test('something unforeseen happens', async () => {
    const ended = await home.run(login, { where: { ssh: true, forwarding: bug } })
    expect(eventsIn(ended).at(-1)).toEqual(failed({ code: 'failure', exit_code: 1 }))
  })
})

test.each(['token --events', 'status --profile login --events', '--profile login token --events'])(
  '%s is no sign-in, and its mistake no event',
  async (words) => {
    expect(await home.run(words)).toMatchObject({ exitCode: 2, stdout: '' })
  },
)

describe('login --cancel-on-eof', () => {
  const ENDED = {
    code: 'login_incomplete',
    exit_code: 8,
    message: 'Standard input ended, and with it the sign-in, as --cancel-on-eof asks.',
    next_step: 'codex-auth login',
  }

  test.each(['in a browser', 'on another device'])('ends a sign-in %s with its input', async (where) => {
    const stdin = openPipe()
    const words = where === 'in a browser' ? login : byDevice
    issuer.behaviour.device = { enabled: true, interval: '600', polls: [403] }
    const ended = await abandoned(() => void stdin.end(), `${words} --cancel-on-eof`, { stdin })
    expect({ exitCode: ended.exitCode, last: ended.events.at(-1) }).toEqual({
      exitCode: 8,
      last: failed(ENDED),
    })
    expect(JSON.parse((await home.run('status --json')).stdout)).toMatchObject({ login_in_progress: null })
  })

  test('ends one whose input has ended before', async () => {
    const ended = await home.run(`${login} --cancel-on-eof`, { stdin: piped('') })
    expect(eventsIn(ended).map(nameOf)).toEqual(['authorization_url', 'waiting', 'failed'])
  })

  test('still takes what is pasted', async () => {
    const stdin = openPipe()
    const running = home.start(`${login} --cancel-on-eof`, { stdin })
    const [address] = await running.says(ADDRESS)
    const answer = await fetch(address, { redirect: 'manual' })
    stdin.write('what is this\n')
    await running.says(/There is no code in that/)
    stdin.end(`${answer.headers.get('location')}\n`)
    expect((await running.ended).exitCode).toBe(0)
  })

  test.each(['a browser', 'another device'])(
    'lets a sign-in on %s be finished, and then the input go',
    async (where) => {
      const stdin = openPipe()
      issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
      const isBrowser = where === 'a browser'
      const running = home.start(`${isBrowser ? login : byDevice} --cancel-on-eof`, { stdin })
      const [address] = await running.says(isBrowser ? ADDRESS : CODE)
      if (isBrowser) await signIn(address)
      expect((await running.ended).exitCode).toBe(0)
      expect({ flows: stdin.readableFlowing, listeners: stdin.listenerCount('data') }).toEqual({
        flows: false,
        listeners: 0,
      })
    },
  )

  test('ends at a terminal where the person types the end of the input', async () => {
    const stdin = keyboard()
    const ended = await abandoned(() => void stdin.end(), `${login} --cancel-on-eof`, {
      stdin,
      terminal: true,
    })
    expect(ended.exitCode).toBe(8)
  })

  test.each(['--with-api-key', '--with-access-token'])('makes no sense with %s', async (flag) => {
    expect(await home.run(`login --cancel-on-eof ${flag}`)).toMatchObject({ exitCode: 2, stdout: '' })
  })
})
