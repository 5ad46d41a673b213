import { signIn } from '../test/support/sign-in.ts'
import type { Ended } from '../test/support/cli.ts'
import { MASK, type Screen } from './screen.ts'
import type { Stage } from './stage.ts'

export interface Play extends Stage {
  readonly screen: Screen
  /** `true`: the reader signs in, in a browser. */
  readonly browser: boolean
  /** The access token that was handed out last. */
  token: string
}

export interface Step {
  readonly title: string
  /** @throws {NotHeld} when something it shows is not so. */
  play(play: Play): Promise<void>
}

/** What a step promised did not come true. */
export class NotHeld extends Error {}

/** The whole life of one login. Each step begins where the one before it ended. */
export const STEPS: readonly Step[] = [
  { title: 'Sign in', play: logIn },
  { title: 'What is stored', play: showStatus },
  { title: 'Use the token', play: useToken },
  { title: 'Refresh', play: refreshNow },
  { title: 'Ten processes, one expired token, one refresh', play: refreshTogether },
  { title: 'Sign out', play: logOut },
  { title: 'The revoked token is worth nothing', play: useRevokedToken },
]

const CALLERS = 10
const HOUR = 3600

async function logIn({ screen, program, provider, browser }: Play): Promise<void> {
  const how = ['login', browser ? '--browser' : '--no-browser', '--provider', 'oidc']
  const where = ['--issuer', provider.issuer, '--client-id', provider.clientId]
  screen.command(`codex-auth ${how.join(' ')} \\\n    ${where.join(' ')}`)
  const running = program.start([...how, ...where])
  const shown = await running.says(/^Waiting .*\n/m)
  screen.output(shown)
  if (browser) screen.say('Your turn, in the browser: any name will do, and any password.')
  else {
    screen.say('The demo plays the person: it goes to that address and signs in as alice.')
    await signIn(/^http\S+$/m.exec(shown)?.[0] ?? '', { login: 'alice' })
  }
  const ended = await running.ended
  screen.output(ended.stderr.slice(shown.length))
  hold(screen, 'signed in; the tokens rest in a sealed file', ended.exitCode === 0)
}

async function showStatus(play: Play): Promise<void> {
  const { exitCode } = await run(play, 'status')
  hold(play.screen, 'exit code 0: "codex-auth token" will work', exitCode === 0)
}

async function useToken(play: Play): Promise<void> {
  const { screen, provider } = play
  screen.say(
    'The token is all that ever stands on standard output; here it is masked. ' +
      'The demo plays curl, which need not be installed.',
  )
  const { exitCode } = await run(play, 'token')
  screen.command(`curl -H "Authorization: Bearer $(codex-auth token)" ${addressOfAccount(play)}`)
  play.token = await currentToken(play)
  const { status, body } = await showAccount(play)
  const { account } = await currentStatus(play)
  const known = account.email !== null && body.includes(account.email)
  hold(screen, 'the provider takes it and knows whose it is', exitCode === 0 && status === 200 && known)
  hold(screen, 'no refresh: a living token is only read', provider.refreshes === 0)
}

async function refreshNow(play: Play): Promise<void> {
  const { screen, provider } = play
  const { exitCode } = await run(play, 'refresh')
  const before = play.token
  play.token = await currentToken(play)
  const renewed = exitCode === 0 && play.token !== before
  hold(screen, 'a new access token, for one request', renewed && provider.refreshes === 1)
}

async function refreshTogether(play: Play): Promise<void> {
  const { screen, program, provider } = play
  await letTokenExpire(play)
  const [refreshes, refused] = [provider.refreshes, provider.refusedRefreshes]
  screen.say(`The next one lives an hour again. ${CALLERS} processes want it at the same time:`)
  screen.command(`for i in $(seq ${CALLERS}); do codex-auth token & done; wait`)
  const ended = await Promise.all(Array.from({ length: CALLERS }, () => program.run(['token'])))
  for (const one of ended) showEnded(screen, one, true)
  const tokens = new Set(ended.map(({ stdout }) => stdout.trim()))
  play.token = [...tokens][0] ?? ''
  const all = ended.every(({ exitCode }) => exitCode === 0) && tokens.size === 1
  const { status } = await askForAccount(play)
  hold(screen, `${CALLERS} processes have the same token, and it works`, all && status === 200)
  const sent = provider.refreshes - refreshes
  const once = sent === 1 && provider.refusedRefreshes === refused
  hold(screen, `exactly one refresh reached the provider (counted there: ${sent})`, once)
}

async function letTokenExpire(play: Play): Promise<void> {
  const { screen, provider } = play
  screen.say('For this, the provider gives out an access token that lives two seconds.')
  provider.accessTokenLifetime = 2
  const { exitCode } = await run(play, 'refresh')
  provider.accessTokenLifetime = HOUR
  let state = 'valid'
  while (state === 'valid') ({ state } = await currentStatus(play))
  await run(play, 'status')
  hold(screen, 'the token has expired', exitCode === 0 && state === 'expired')
}

async function logOut(play: Play): Promise<void> {
  const { screen, provider } = play
  const { exitCode } = await run(play, 'logout')
  hold(screen, 'the provider has revoked the login', exitCode === 0 && provider.revocations === 1)
  const status = await run(play, 'status')
  hold(screen, 'exit code 4: a person has to sign in', status.exitCode === 4)
}

async function useRevokedToken(play: Play): Promise<void> {
  const { screen } = play
  screen.say('Somebody who has kept a copy of the last token:')
  screen.command(`curl -H "Authorization: Bearer ${MASK}" ${addressOfAccount(play)}`)
  const { status } = await showAccount(play)
  hold(screen, 'the provider refuses it', status === 401)
}

/** Runs `codex-auth` with these words, shows it, and resolves when it has ended. */
async function run({ screen, program }: Play, ...args: readonly string[]): Promise<Ended> {
  screen.command(`codex-auth ${args.join(' ')}`)
  const ended = await program.run(args)
  showEnded(screen, ended, args[0] === 'token')
  return ended
}

function showEnded(screen: Screen, { stdout, stderr }: Ended, isToken: boolean): void {
  if (stdout !== '') screen.output(isToken ? MASK : stdout)
  if (stderr !== '') screen.output(stderr)
}

async function currentToken({ program }: Play): Promise<string> {
  const { stdout } = await program.run(['token'])
  return stdout.trim()
}

interface CurrentStatus {
  readonly state: string
  readonly account: { readonly email: string | null }
}

async function currentStatus({ program }: Play): Promise<CurrentStatus> {
  const { stdout } = await program.run(['status', '--json'])
  return JSON.parse(stdout) as CurrentStatus
}

function addressOfAccount({ provider }: Play): string {
  return `${provider.issuer}/me`
}

interface AccountAnswer {
  readonly status: number
  readonly body: string
}

/** Plays `curl`, which need not be installed, at the userinfo endpoint (OpenID Connect Core, section 5.3). */
async function askForAccount(play: Play): Promise<AccountAnswer> {
  const response = await fetch(addressOfAccount(play), { headers: { authorization: `Bearer ${play.token}` } })
  return { status: response.status, body: await response.text() }
}

async function showAccount(play: Play): Promise<AccountAnswer> {
  const answer = await askForAccount(play)
  play.screen.output(`HTTP ${answer.status}\n${answer.body}`)
  return answer
}

function hold(screen: Screen, what: string, held: boolean): void {
  if (!held) throw new NotHeld(what)
  screen.held(what)
}
