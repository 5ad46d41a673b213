import type { Command } from 'commander'
import { AuthError } from '../errors.ts'
import { holderName } from '../core/holder.ts'
import { profileName } from '../core/profile-name.ts'
import { status, type Status } from '../core/status.ts'
import type { Context } from './context.ts'
import { hasMintedKey, warnOfLivingKey } from './minted-key.ts'
import { flagsOf } from './options.ts'
import { printResult, say } from './output.ts'
import { statusJson } from './status-report.ts'
import { tinted } from './tint.ts'

/** `codex-auth profile`: several logins side by side. */
export function addProfileCommand(program: Command, context: Context): void {
  const profile = program.command('profile').description('Keep several logins side by side')
  addList(profile, context)
  addUse(profile, context)
  addRemove(profile, context)
}

function addList(profile: Command, context: Context): void {
  profile
    .command('list')
    .description('List the profiles; the one in use is marked')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command)
      const session = await context.session(flags)
      const found = session.store
        .profiles()
        .map((name) => status(name, undefined, { ...session, environment: undefined }))
      const json = found.map((one) => ({ ...statusJson(one), current: one.profile === session.profile }))
      printResult(
        context,
        flags,
        { schema_version: 1, profiles: json },
        listText(found, context, session.profile),
      )
      if (found.length === 0) say(context, flags, 'No profiles yet. Next: codex-auth login')
    })
}

function listText(found: readonly Status[], { stdoutHasColours }: Context, current: string): string {
  const width = Math.max(0, ...found.map(({ profile }) => profile.length))
  return found
    .map(({ profile, state, credential, problem }) => {
      const mark = profile === current ? '*' : ' '
      const who = credential ? holderName(credential) : ''
      const how = tinted(problem === undefined ? 'good' : 'bad', state, stdoutHasColours)
      const gap = who === '' ? '' : ' '.repeat(12 - state.length)
      return `${mark} ${profile.padEnd(width)}  ${how}${gap}${who}\n`
    })
    .join('')
}

function addUse(profile: Command, context: Context): void {
  profile
    .command('use <name>')
    .description('Make a profile the default')
    .action(async (name: string, _options, command: Command) => {
      const flags = flagsOf(command)
      const session = await context.session({ ...flags, profile: profileName(name) })
      const settings = await context.settingsFile()
      settings.set('profile', name)
      printResult(context, flags, { schema_version: 1, profile: name }, '')
      const next = session.store.profiles().includes(name)
        ? ''
        : ' Nobody is signed in to it yet. Next: codex-auth login'
      say(context, flags, `The default profile is now "${name}".${next}`)
    })
}

function addRemove(profile: Command, context: Context): void {
  profile
    .command('remove <name>')
    .description('Remove a profile here, without telling the provider')
    .action(async (name: string, _options, command: Command) => {
      const flags = flagsOf(command)
      const session = await context.session({ ...flags, profile: profileName(name) })
      const { store, settings } = session
      if (!store.profiles().includes(name)) throw unknownProfile(name, store.profiles())
      const hadKey = hasMintedKey(session)
      await store.forget(name)
      if (settings.profile === name) (await context.settingsFile()).unset('profile')
      printResult(context, flags, { schema_version: 1, profile: name, removed: true }, '')
      say(
        context,
        flags,
        `Removed the profile "${name}" here. The provider was not told, so its tokens live on until they expire.`,
      )
      if (hadKey) warnOfLivingKey(context)
    })
}

function unknownProfile(name: string, known: readonly string[]): AuthError {
  return new AuthError('usage', `There is no profile "${name}".`, {
    nextStep: known.length === 0 ? 'codex-auth login' : `choose one of: ${known.join(', ')}`,
  })
}
