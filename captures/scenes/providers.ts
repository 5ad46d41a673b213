import { signIn } from '../../test/support/sign-in.ts'
import { address, type Scene } from '../scene.ts'

/** OpenID providers that are not OpenAI. */
export const PROVIDERS: readonly Scene[] = [
  {
    title: 'An OpenID provider that names itself in its redirect',
    play: async (terminal, { provider: { issuer, clientId } }) => {
      terminal.run(
        `codex-auth login --provider oidc --issuer ${issuer} --client-id ${clientId} --profile certified`,
      )
      const at = await address(terminal)
      terminal.enter(`a-code#${new URL(at).searchParams.get('state')}`)
      await terminal.shows(/Still waiting/)
      await signIn(at)
    },
  },
  {
    title: 'Another one: sign in, refresh, look, sign out',
    play: async (terminal, { otherServer }) => {
      terminal.run(
        `codex-auth login --provider oidc --issuer ${otherServer} --client-id any --profile second`,
      )
      await signIn(await address(terminal))
      for (const command of ['refresh', 'status', 'logout']) {
        await terminal.ended()
        terminal.run(`codex-auth ${command} --profile second`)
      }
    },
  },
]
