import { parseArgs } from 'node:util'
import { screenOn } from './screen.ts'
import { openStage } from './stage.ts'
import { NotHeld, STEPS, type Play } from './steps.ts'

const USAGE = `Usage: npm run demo -- [--browser]

Plays the whole life of a login against an OpenID provider on this machine.

  --browser   open the browser and let you sign in, instead of playing that over HTTP
`

process.exitCode = await demo(process.argv.slice(2))

async function demo(args: string[]): Promise<number> {
  const options = optionsOf(args)
  if (options === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const screen = screenOn(process.stdout)
  const interruption = interruptible()
  const stage = await openStage()
  const started = performance.now()
  const exitCode = await Promise.race([
    perform({ ...stage, screen, browser: options.browser, token: '' }, interruption),
    exitCodeOf(interruption),
  ])
  const faults = await stage.close()
  for (const fault of faults) screen.failed(`The provider itself failed: ${reason(fault)}`)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  if (exitCode === 0)
    screen.end(`All ${STEPS.length} steps held, in ${seconds} s. Nothing of it is left here.`)
  if (exitCode > 128) screen.end('Interrupted. Nothing of it is left here.')
  return exitCode || (faults.length === 0 ? 0 : 1)
}

interface Options {
  readonly browser: boolean
  readonly help: boolean
}

/** `undefined`: the call was wrong. */
function optionsOf(args: string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        browser: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n\n`)
    return undefined
  }
}

/** Aborted, with the exit code as its reason, when nothing more is to be played although nothing has failed. */
function interruptible(): AbortSignal {
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort(130))
  process.once('SIGTERM', () => interruption.abort(143))
  // The reader of a pipe may leave, as `head` does.
  process.stdout.on('error', () => interruption.abort(1))
  return interruption.signal
}

/** Resolves when it is interrupted, or never. */
function exitCodeOf(interruption: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    interruption.addEventListener('abort', () => resolve(Number(interruption.reason)))
  })
}

async function perform(play: Play, interruption: AbortSignal): Promise<number> {
  const { screen, provider, home } = play
  screen.title('The life of a login with codex-auth')
  screen.say(
    `Everything happens on this machine: the OpenID provider at ${provider.issuer} and the folder ` +
      `CODEX_AUTH_HOME=${home} are this demo's own and go with it. "codex-auth" is the built program, ` +
      'bin/codex-auth.js, and what it prints is shown as it is, tokens masked.',
  )
  for (const [at, step] of STEPS.entries()) {
    screen.heading(at + 1, step.title)
    try {
      await step.play(play)
    } catch (error) {
      // What is stopped in the middle fails as well, which is no news.
      if (!interruption.aborted) screen.failed(`Step ${at + 1} failed ("${step.title}"). ${reason(error)}`)
      return 1
    }
  }
  return 0
}

function reason(error: unknown): string {
  if (error instanceof NotHeld) return `Not true: ${error.message}.`
  return error instanceof Error ? error.message : String(error)
}
