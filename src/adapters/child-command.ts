import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { CommandToRun } from '../core/ports.ts'
import { AuthError } from '../errors.ts'
import { inheritedDescriptors } from './inherited-descriptors.ts'
import { cameFromTerminal } from './terminal-signal.ts'

/** What is sent to a program to end it, to make it reload, or because its terminal changed. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

const SENT_BY_TERMINALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH'])

/**
 * Runs a command with our own standard streams and what else was opened for us, in our process group, through no shell,
 * and passes on to it what signals come. Resolves with its exit code, or with 128 + n when signal n ended it, as a shell has it.
 *
 * It is a child because `process.execve`, where there is one, leaves SIGPIPE ignored in the command, and aborts with a
 * stack trace when the command cannot be run.
 * @throws {AuthError} `command_not_found`, `command_not_executable`.
 */
export async function runCommand(command: CommandToRun): Promise<number> {
  let child: ChildProcess | undefined
  // Before there is a child: a signal that it sends us first of all is passed on already, and nothing is in between.
  const stop = passSignalsOn((signal) => child?.kill(signal))
  try {
    const started = start(command)
    child = started
    return await ended(started, command)
  } finally {
    stop()
  }
}

function ended(child: ChildProcess, command: CommandToRun): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('exit', (code, signal) =>
      resolve(signal === null ? (code ?? 0) : 128 + constants.signals[signal]),
    )
    // Once it runs, the only fault left is a signal that a command of another user may not be sent.
    child.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (child.pid === undefined) reject(whyNot(command, code))
    })
  })
}

/** Some reasons come as an event, others are thrown. */
function start(command: CommandToRun): ChildProcess {
  const { file, args, env } = command
  if (file === '') throw whyNot(command, 'ENOENT')
  try {
    return spawn(file, args, { env, stdio: ['inherit', 'inherit', 'inherit', ...inheritedDescriptors()] })
  } catch (error) {
    throw whyNot(command, (error as NodeJS.ErrnoException).code)
  }
}

/** By the same rule as `env` and `nohup`: what is not there is not found, and all else cannot be executed. */
function whyNot({ file }: CommandToRun, code: string | undefined): AuthError {
  const name = JSON.stringify(file)
  return code === 'ENOENT'
    ? new AuthError('command_not_found', `The command ${name} was not found.`)
    : new AuthError('command_not_executable', `The command ${name} cannot be executed (${code}).`)
}

/** On Windows, Ctrl-C reaches everyone at the console, and to pass a signal on would be to kill. */
function passSignalsOn(send: (signal: NodeJS.Signals) => void): () => void {
  if (process.platform === 'win32') return () => undefined
  const passOn = (signal: NodeJS.Signals): void => {
    if (!SENT_BY_TERMINALS.has(signal) || !cameFromTerminal()) send(signal)
  }
  for (const signal of PASSED_ON) process.on(signal, passOn)
  return () => {
    for (const signal of PASSED_ON) process.off(signal, passOn)
  }
}
