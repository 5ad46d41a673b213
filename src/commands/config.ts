import type { Command } from 'commander'
import {
  formatSetting,
  parseSetting,
  SETTING_NAMES,
  settingName,
  type SettingName,
} from '../core/settings.ts'
import type { Context } from './context.ts'
import { flagsOf } from './options.ts'
import { printResult, say } from './output.ts'

/** `codex-auth config`: settings without secrets. */
export function addConfigCommand(program: Command, context: Context): void {
  const config = program.command('config').description('Read and change the settings')
  config.addHelpText('after', `\nSettings: ${SETTING_NAMES.join(', ')}`)
  addGet(config, context)
  addSet(config, context)
  addUnset(config, context)
  addList(config, context)
  addPath(config, context)
}

function addGet(config: Command, context: Context): void {
  config
    .command('get <name>')
    .description('Print one setting; prints nothing when it is not set')
    .action(async (given: string, _options, command: Command) => {
      const flags = flagsOf(command)
      const name = settingName(given)
      const value = (await context.session(flags)).settings[name]
      printResult(
        context,
        flags,
        { schema_version: 1, [name]: value ?? null },
        value === undefined ? '' : `${formatSetting(value)}\n`,
      )
    })
}

function addSet(config: Command, context: Context): void {
  config
    .command('set <name> <value...>')
    .description('Change one setting')
    .action(async (given: string, words: string[], _options, command: Command) => {
      const name = settingName(given)
      const value = parseSetting(name, words.join(' '))
      await change(command, context, name, `${name} is now ${formatSetting(value)}.`, (file) =>
        file.set(name, value),
      )
    })
}

function addUnset(config: Command, context: Context): void {
  config
    .command('unset <name>')
    .description('Go back to the default of one setting')
    .action(async (given: string, _options, command: Command) => {
      const name = settingName(given)
      await change(command, context, name, `${name} has its default again.`, (file) => file.unset(name))
    })
}

async function change(
  command: Command,
  context: Context,
  name: SettingName,
  text: string,
  apply: (file: Awaited<ReturnType<Context['settingsFile']>>) => void,
): Promise<void> {
  const flags = flagsOf(command)
  const file = await context.settingsFile()
  apply(file)
  printResult(context, flags, { schema_version: 1, setting: name, path: file.path }, '')
  say(context, flags, text)
}

function addList(config: Command, context: Context): void {
  config
    .command('list')
    .description('Print every setting that is set')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command)
      const { settings } = await context.session(flags)
      const rows = SETTING_NAMES.flatMap((name) => {
        const value = settings[name]
        return value === undefined ? [] : [`${name}=${formatSetting(value)}\n`]
      })
      const json = Object.fromEntries(SETTING_NAMES.map((name) => [name, settings[name] ?? null]))
      printResult(context, flags, { schema_version: 1, settings: json }, rows.join(''))
    })
}

function addPath(config: Command, context: Context): void {
  config
    .command('path')
    .description('Print where the settings file is')
    .action(async (_options, command: Command) => {
      const path = await context.settingsPath()
      printResult(context, flagsOf(command), { schema_version: 1, path }, `${path}\n`)
    })
}
