import type { FakeIssuer } from '../test/support/fake-issuer.ts'
import type { OpenIdProvider } from '../test/support/openid-provider.ts'
import type { Terminal } from './terminal.ts'

/** What a scene is played with. All scenes of a page share one home, one after the other. */
export interface Stage {
  readonly issuer: FakeIssuer
  readonly provider: OpenIdProvider
  /** The base address of a second, independent OpenID server. */
  readonly otherServer: string
  /** The person's home, in which everything is kept. */
  readonly home: string
  /** Runs the program out of sight. */
  run(...args: readonly string[]): Promise<void>
}

export interface Scene {
  readonly title: string
  /** 80 unless told. */
  readonly columns?: number
  /** Beside what every scene has. */
  readonly env?: Readonly<Record<string, string>>
  play(terminal: Terminal, stage: Stage): Promise<void>
}

/** The address that is shown last, as a person would copy it. */
export async function address(terminal: Terminal): Promise<string> {
  const [, shown = ''] = await terminal.shows(/[^]*\n(https?:\S+)\n[^]*Ctrl-C/)
  return shown
}
