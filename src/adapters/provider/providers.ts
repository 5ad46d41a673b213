import { baseUrls, type BaseUrls } from '../../core/base-url.ts'
import type { Clock, Providers } from '../../core/ports.ts'
import { OidcProvider } from './oidc.ts'
import { OpenAiProvider } from './openai.ts'

/** The authorization servers this program can sign in at. `bases`: where OpenAI's tokens are tried. */
export function providers(clock: Clock, bases: BaseUrls = baseUrls({})): Providers {
  return {
    open: async (choice) =>
      choice.name === 'openai' ? new OpenAiProvider(choice, clock, bases) : new OidcProvider(choice, clock),
  }
}
