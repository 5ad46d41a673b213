import { signIn } from '../test/support/sign-in.ts'
import type { Ended } from './program.ts'
import type { Trial } from './trial.ts'

/** Runs `login` with these flags while a person does what it asks for. */
export async function signInAt(start: Trial['start'], flags: readonly string[]): Promise<Ended> {
  const running = start(['login', '--no-browser', ...flags])
  const [, address = ''] = await running.says(/^(https?:\S+)\n/m)
  await signIn(address)
  const ended = await running.ended
  if (ended.exitCode !== 0) throw new Error(`the sign-in ended with ${ended.exitCode}`)
  return ended
}
