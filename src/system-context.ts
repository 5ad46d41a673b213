import type { Context, GlobalFlags, Session, Whereabouts } from './commands/context.ts'
import { AuthError } from './errors.ts'
import { thisProgram, type Program } from './adapters/own-command.ts'
import { rootFolder, settingsPath } from './adapters/paths.ts'
import { readSettings } from './adapters/settings.ts'
import { tokenFacts } from './adapters/provider/token-facts.ts'
import { profileStore } from './adapters/store/profile-store.ts'
import { signInMarkers } from './adapters/store/sign-in-marker.ts'
import { onTrace } from './adapters/trace.ts'
import { baseUrls } from './core/base-url.ts'
import { environmentToken } from './core/environment-token.ts'
import type { BackgroundRefresh } from './core/access-token-in-time.ts'
import type { Browser, Input, Providers, RedirectListener, RunCommand } from './core/ports.ts'
import { chooseProfile, profileFlag } from './core/profile-name.ts'
import type { Settings } from './core/settings.ts'

/** What differs between this process and a test: everything else follows from it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  stdout(text: string): void
  stderr(text: string): void
  /** Standard error is a terminal that a person sees. */
  readonly stderrIsTerminal: boolean
  readonly stdoutIsTerminal: boolean
  /** `undefined`: nothing is shown in colours. */
  readonly hasColours?: { readonly stdout: boolean; readonly stderr: boolean }
  readonly columns: number
  /** `undefined`: it is never. */
  readonly isInBackground?: () => boolean
  now(): number
  /** Seconds since the process was started. */
  elapsed(): number
  readonly interruption: AbortSignal
  /** `undefined`: the system's browser. */
  readonly browser?: Browser
  /** `undefined`: as a child process. */
  readonly runCommand?: RunCommand
  /** Standard input. `undefined`: there is none to read from. */
  readonly input?: Input
  /** `undefined`: as the system tells. */
  readonly whereabouts?: () => Promise<Whereabouts>
  /** `undefined`: the one that runs. */
  readonly program?: Program
}

/** Seconds. Longer than one refresh takes at worst, shorter than a person's patience. */
const LOCK_WAIT = 30

/** Brings commands and adapters together. What a call does not need is not loaded. */
export function systemContext(
  surroundings: Surroundings,
  ending: Pick<Context, 'endWith' | 'endAs'>,
): Context {
  const { env, stderrIsTerminal, hasColours } = surroundings
  return {
    ...surroundings,
    // A terminal may be made narrower while somebody waits.
    get columns() {
      return surroundings.columns
    },
    isTerminal: stderrIsTerminal && !isSet(env['CI']),
    isInBackground: surroundings.isInBackground ?? (() => false),
    stderrHasColours: hasColours?.stderr ?? false,
    stdoutHasColours: hasColours?.stdout ?? false,
    ...ending,
    whereabouts: surroundings.whereabouts ?? (() => whereaboutsOf(env)),
    runCommand: surroundings.runCommand ?? lazyRunCommand,
    settings: async () => readSettings(await settingsPath(env)),
    settingsPath: () => settingsPath(env),
    settingsFile: async () =>
      (await import('./adapters/settings-file.ts')).openSettingsFile(await settingsPath(env)),
    codexSetup: async () =>
      (await import('./adapters/codex-setup.ts')).codexSetup(env, surroundings.program ?? thisProgram()),
    session: (flags) => openSession(surroundings, flags),
  }
}

/** As everywhere: `CI=false` says that this is none. */
function isSet(value: string | undefined): boolean {
  return Boolean(value) && value !== '0' && value?.toLowerCase() !== 'false'
}

async function openSession(surroundings: Surroundings, flags: GlobalFlags): Promise<Session> {
  const { env, now, interruption } = surroundings
  if (flags.debug || env['CODEX_AUTH_DEBUG']) traceTo(surroundings)
  const root = await rootFolder(env)
  const settings = readSettings(await settingsPath(env))
  refuseOtherKeySources(env)
  const lockWait = settings.lock_wait ?? LOCK_WAIT
  return {
    profile: chooseProfile(flags.profile, env, settings),
    settings,
    profileFlag: (profile) => profileFlag(profile, env, settings),
    clock: { now },
    interruption,
    store: profileStore({ root, lockWait, interruption }),
    signIns: signInMarkers(root, now),
    environment: environmentToken(env['CODEX_AUTH_TOKEN'], tokenFacts, now()),
    providers: lazyProviders(now, settings),
    background: lazyBackground(surroundings, root),
    listener: LAZY_LISTENER,
    input: surroundings.input,
    factsOf: tokenFacts,
    codexHome: async (folder) =>
      (await import('./adapters/codex-home.ts')).codexHome({ folder, env, lockWait, interruption }),
    browser: surroundings.browser ?? lazyBrowser(env, settings),
  }
}

function traceTo({ stderr }: Surroundings): void {
  onTrace((message, elapsed) => stderr(`codex-auth: debug: +${elapsed.toFixed(0)} ms: ${message}\n`))
}

function refuseOtherKeySources(env: Surroundings['env']): void {
  const source = env['CODEX_AUTH_KEY_SOURCE']
  if (!source || source === 'file') return
  throw new AuthError(
    'usage',
    `CODEX_AUTH_KEY_SOURCE=${JSON.stringify(source.slice(0, 40))} is not a key source of this version.`,
    {
      nextStep: 'unset CODEX_AUTH_KEY_SOURCE, or set it to file',
    },
  )
}

async function whereaboutsOf(env: Surroundings['env']): Promise<Whereabouts> {
  const [{ whereabouts }, { shouldOpenBrowser }, { sshForwarding }] = await Promise.all([
    import('./adapters/whereabouts.ts'),
    import('./adapters/browser.ts'),
    import('./adapters/ssh-forwarding.ts'),
  ])
  const found = whereabouts(env)
  return {
    ...found,
    opensBrowser: shouldOpenBrowser(found, env),
    forwarding: (port) => sshForwarding(port, env),
  }
}

const lazyRunCommand: RunCommand = async (command) =>
  (await import('./adapters/child-command.ts')).runCommand(command)

function lazyProviders(now: () => number, settings: Settings): Providers {
  return {
    open: async (choice) =>
      (await import('./adapters/provider/providers.ts')).providers({ now }, baseUrls(settings)).open(choice),
  }
}

function lazyBackground({ env, program = thisProgram() }: Surroundings, root: string): BackgroundRefresh {
  return {
    run: async (request) =>
      (await import('./adapters/background-refresh.ts'))
        .backgroundRefresh({ root, env, program })
        .run(request),
  }
}

const LAZY_LISTENER: RedirectListener = {
  listen: async (options) =>
    (await import('./adapters/redirect-listener.ts')).redirectListener().listen(options),
}

function lazyBrowser(env: Surroundings['env'], { browser }: Settings): Browser {
  return {
    open: async (url) => (await import('./adapters/browser.ts')).systemBrowser(env, browser).open(url),
  }
}
