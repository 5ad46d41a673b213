import type { CodexHome } from '../core/codex-home.ts'
import type { OwnCommand } from '../core/codex-provider.ts'
import type { Credential } from '../core/credential.ts'
import type { BackgroundRefresh } from '../core/access-token-in-time.ts'
import type { LogInPorts } from '../core/log-in.ts'
import type { TokenFacts } from '../core/log-in-secret.ts'
import type { RunCommand } from '../core/ports.ts'
import type { SettingName, Settings, SettingValue } from '../core/settings.ts'
import type { SetUpCodexPorts } from '../core/set-up-codex.ts'
import type { StatusPorts } from '../core/status.ts'

/** The flags every command takes. */
export interface GlobalFlags {
  readonly profile?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly debug?: boolean
  readonly color: boolean
  readonly input: boolean
}

/** Where this process runs, and what follows for the person. */
export interface Whereabouts {
  /** The person sits at another machine. */
  readonly ssh: boolean
  /** The browser's `localhost` may not be this one. */
  readonly container: boolean
  /** Linux under Windows, whose browser reaches this side's `localhost`. */
  readonly wsl: boolean
  /** A browser that is started here would be seen. */
  readonly opensBrowser: boolean
  /** The command, for the machine where the person sits, that leads this port there. */
  forwarding(port: number): string
}

/** The settings file, for changing it. */
export interface SettingsFile {
  readonly path: string
  set(name: SettingName, value: SettingValue): void
  unset(name: SettingName): void
}

/** The use cases' ports together with what only commands need, for one profile. */
export interface Session extends LogInPorts, StatusPorts {
  readonly profile: string
  readonly settings: Settings
  readonly background: BackgroundRefresh
  /** Reads what a token says of itself. */
  readonly factsOf: (token: string) => TokenFacts
  /** Codex's own folder; the one that Codex itself would use, unless named. @throws {AuthError} `usage` for one that cannot be. */
  codexHome(folder: string | undefined): Promise<CodexHome>
}

/** What setting up Codex needs. */
export interface CodexSetup extends SetUpCodexPorts {
  /** How Codex calls this program. */
  readonly command: OwnCommand
  /** This copy of the program will be gone after this call. */
  readonly isTemporary: boolean
  isFedRamp(credential: Credential): boolean
}

/** The one documented world a command lives in. Everything a command touches is here. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes to standard output, where only results go. */
  stdout(text: string): void
  /** Writes to standard error, where everything said to a person goes. */
  stderr(text: string): void
  /** A person sees standard error and can act on it: it is a terminal, and neither `--no-input` nor `CI` says otherwise. */
  readonly isTerminal: boolean
  /** Standard error is a terminal, whether or not a person sees it. */
  readonly stderrIsTerminal: boolean
  /** The terminal is another job's for now. */
  isInBackground(): boolean
  /** Columns of the terminal on standard error; 80 where there is none. */
  readonly columns: number
  /** Standard output is a terminal. */
  readonly stdoutIsTerminal: boolean
  /** A terminal that shows colours, and nobody has said not to: `NO_COLOR`, `TERM=dumb`, `--no-color`. */
  readonly stderrHasColours: boolean
  readonly stdoutHasColours: boolean
  /** Epoch seconds, with fractions. */
  now(): number
  /** Seconds since this process was started. */
  elapsed(): number
  /** Aborted with an `AuthError` when a signal asks the program to stop. */
  readonly interruption: AbortSignal
  /** @throws {AuthError} `usage` for a bad profile name, `settings_corrupt` for a damaged settings file. */
  session(flags: GlobalFlags): Promise<Session>
  /** Where this process runs, as far as it matters to signing in. */
  whereabouts(): Promise<Whereabouts>
  /** @throws {AuthError} `settings_corrupt`. */
  settings(): Promise<Settings>
  /** The settings file, opened for writing. */
  settingsFile(): Promise<SettingsFile>
  settingsPath(): Promise<string>
  readonly runCommand: RunCommand
  /** @throws {AuthError} `usage` for a `CODEX_HOME` that is no folder. */
  codexSetup(): Promise<CodexSetup>
  /** Ends the command with this exit code although nothing was thrown. */
  endWith(exitCode: number): void
  /** Ends with the exit code of a command that ran in our place, and that was sent every signal since it began. */
  endAs(exitCode: number): void
}
