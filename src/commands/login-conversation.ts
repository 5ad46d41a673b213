import { renderUnicodeCompact } from 'uqr'
import type { AuthError } from '../errors.ts'
import { formatDuration } from '../core/duration.ts'
import type { PasteFault } from '../core/await-redirect.ts'
import { BROWSER_TIMEOUT } from '../core/log-in-defaults.ts'
import type { DeviceAuthorization } from '../core/ports.ts'
import type { Context, Whereabouts } from './context.ts'
import type { LoginFlags } from './login-flags.ts'
import { say, tell as tellAlways, warn } from './output.ts'
import { statusLine } from './status-line.ts'
import { tinted } from './tint.ts'

interface Manner {
  readonly openBrowser: boolean
  /** A person sees what is asked here, and answers it. */
  readonly asks: boolean
}

/** What is said to the person while a sign-in waits. */
export function conversation(
  context: Context,
  flags: LoginFlags,
  where: Whereabouts,
  { openBrowser, asks }: Manner,
) {
  const tell = (text: string): void => say(context, flags, text)
  return {
    onAddress: (url: string, port: number | undefined): void => {
      const toldOverSsh = where.ssh && port !== undefined && !openBrowser
      if (toldOverSsh) tell(overSsh(where.forwarding(port)))
      tell(
        openBrowser
          ? 'Opening your browser to sign in. The address, in case it does not show:'
          : 'Sign in at this address:',
      )
      // What the whole command is about: `--quiet` does not hide it, and nothing shares its line.
      context.stderr(`\n${url}\n\n`)
      if (where.container && !where.ssh && !openBrowser && flags.listen === undefined) tell(IN_CONTAINER)
      if (asks && !toldOverSsh) tell('If the browser cannot come back here, paste the address it ends on.')
      tell(
        `Waiting up to ${formatDuration(flags.timeout ?? BROWSER_TIMEOUT)} for the sign-in. Ctrl-C ends it and changes nothing.`,
      )
    },
    onNoBrowser: (): void =>
      warn(
        context,
        `no browser could be started; open the address above yourself${where.wsl ? ', in Windows' : ''}.`,
      ),
    onNoListener: (error: AuthError): void =>
      warn(context, `${error.message} After signing in, paste the address that the browser ends on here.`),
    // Whoever pastes waits for an answer, with `--quiet` as well.
    onPasted: (kind: PasteFault): void => tellAlways(context, PASTED[kind](asks)),
  }
}

const PASTED: Record<PasteFault, (asks: boolean) => string> = {
  other_attempt: () =>
    'That address belongs to an earlier attempt, or to another program, and not to this sign-in. Still waiting.',
  bare_code: (asks) =>
    asks
      ? 'That is a code without its state. Is it from the sign-in you just started? [y/N]'
      : 'A code alone is not taken from a pipe: send the whole address, or code#state. Still waiting.',
  without_issuer: () =>
    'This provider takes a code only with its own name beside it: paste the whole address that the browser ended on. Still waiting.',
  authorization_address: () =>
    'That is the address to sign in at. Open it, sign in, and paste the address that comes after. Still waiting.',
  unreadable: () => 'There is no code in that. Paste the whole address the browser ended on. Still waiting.',
}

function overSsh(forwarding: string): string {
  return `You are connected over SSH. So that the browser can come back here, first run this on the machine you sit at:\n\n  ${forwarding}\n\nor sign in, and paste the address the browser ends on.\n`
}

const IN_CONTAINER =
  'In a container, the browser comes back only through a mapped port; --listen 0.0.0.0 helps with that, and --device-code needs no port.'

/** Columns around a QR code that keep a terminal from wrapping it. */
const MARGIN = 4

export function deviceConversation(context: Context, flags: LoginFlags, provider: string) {
  const line = statusLine(context, flags)
  return {
    onCode: (authorization: DeviceAuthorization): void => {
      const { verificationUrl, verificationUrlComplete, userCode } = authorization
      if (provider === 'openai') say(context, flags, ENABLE_FIRST)
      // As with an address, the code is shown in any case.
      const code = tinted('strong', userCode, context.stderrHasColours)
      tellAlways(context, 'Open this page on any device:')
      context.stderr(`\n${verificationUrl}\n\nand enter the code:\n\n${code}\n\n`)
      if (context.isTerminal && !flags.quiet)
        context.stderr(qrCode(verificationUrlComplete ?? verificationUrl, context))
      say(
        context,
        flags,
        'Go on only if you started this sign-in yourself. If somebody sent you this code, stop here.',
      )
    },
    onWait: (left: number): void => {
      const time = formatDuration(left)
      line.show(`Waiting; the code ends in ${time}`, `${time} left`)
    },
    done: (): void => line.clear(),
  }
}

const ENABLE_FIRST =
  'Device sign-in must be allowed first, in the security settings of your ChatGPT account.\n'

/** Its light parts are what is drawn. On a light terminal that would be the wrong way round, which not every camera reads. */
function qrCode(address: string, { columns, stderrHasColours }: Context): string {
  const rows = renderUnicodeCompact(address, { border: 2 }).split('\n')
  const width = Math.max(...rows.map((row) => row.length))
  if (width + MARGIN > columns) return ''
  return `${rows.map((row) => tinted('white_on_black', row, stderrHasColours)).join('\n')}\n\n`
}
