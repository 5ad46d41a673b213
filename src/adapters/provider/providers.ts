import type { Clock, Providers } from '../../core/ports.ts'
import { OidcProvider } from './oidc.ts'
import { OpenAiProvider } from './openai.ts'

/** The authorization servers this program can sign in at. */
export function providers(clock: Clock): Providers {
  return {
    open: async (choice) =>
      choice.name === 'openai' ? new OpenAiProvider(choice, clock) : new OidcProvider(choice, clock),
  }
}
