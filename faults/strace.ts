import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** One system call of the program's main thread on its files or its connection. */
export interface Step {
  readonly syscall: string
  /** Its number among all calls of this name in that thread, from 1. */
  readonly nth: number
  /** As in `rename profiles/.default.cred.*.tmp → profiles/default.cred`. */
  readonly name: string
  /** Its number among all steps with this name, from 1. */
  readonly occurrence: number
  /** The call as it was, for what its arguments tell. */
  readonly line: string
}

/** Whether system calls can be watched and refused here. `undefined`: yes; else why not. */
export function whyNoStrace(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  })
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : `strace does not work here (${stderr.trim().split('\n', 1)[0]})`
}

/** Runs a command and writes its system calls down. */
export function watching(log: string): string[] {
  return ['strace', '-f', '-qq', '-yy', '-e', 'signal=none', '-e', 'trace=%file,%desc,%network', '-o', log]
}

/**
 * Runs a command and does something to it at the moment its main thread makes this call: `signal=SIGKILL` ends it before
 * the call is carried out, `error=EIO` refuses the call. Other threads, of which some wake each other up hundreds of times,
 * are left alone.
 */
export function interfering(log: string, syscall: string, nth: number, what: string): string[] {
  const inject = `inject=${syscall}:${what}:when=${nth}`
  return ['strace', '-qq', '-yy', '-e', `trace=execve,${syscall}`, '-e', inject, '-o', log]
}

/** The steps in a log, in their order: what the main thread did to anything in `folder`, and to its TCP connections. */
export function stepsIn(log: string, folder: string): Step[] {
  const [calls, names] = [counter(), counter()]
  return linesOfMainThread(log).flatMap((line) => {
    const syscall = /^\w+/.exec(line)?.[0] ?? ''
    const nth = calls(syscall)
    const name = nameOf(syscall, line, folder)
    return name === undefined ? [] : [{ syscall, nth, name, occurrence: names(name), line }]
  })
}

/** Counts each name, from 1. */
function counter(): (name: string) => number {
  const counts = new Map<string, number>()
  return (name) => {
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count
  }
}

/** As {@link interfering}, in a log that tells the process's number. */
export function interferingWithAll(log: string, syscall: string, nth: number, what: string): string[] {
  const [strace = '', ...rest] = interfering(log, syscall, nth, what)
  return [strace, '-f', ...rest]
}

/** The main thread's number, which is the process's, in a log of all threads. `undefined`: it has not begun. */
export function processIn(log: string): number | undefined {
  const first = /^\d+/.exec(readFileSync(log, 'utf8'))?.[0]
  return first === undefined ? undefined : Number(first)
}

function linesOfMainThread(log: string): string[] {
  const lines = readFileSync(log, 'utf8').split('\n')
  // A log of the main thread alone has no numbers.
  const main = /^\d+ /.exec(lines[0] ?? '')?.[0] ?? ''
  const own = lines.filter((line) => line.startsWith(main)).map((line) => line.slice(main.length).trim())
  // A call that another thread's line interrupted goes on in a second line, which names no arguments.
  return own.filter((line) => /^\w+\(/.test(line))
}

/** `undefined`: it has nothing to do with files in the folder or with the provider. */
function nameOf(syscall: string, line: string, folder: string): string | undefined {
  const quoted = [...line.matchAll(/"(\/[^"]*)"/g)].map(([, path = '']) => path)
  const opened = [...line.matchAll(/\d+<(\/[^>]*)>/g)].map(([, path = '']) => path)
  const paths = [...quoted, ...opened].filter((path) => path.startsWith(`${folder}/`))
  const names = [...new Set(paths.map((path) => readable(relative(folder, path))))]
  if (names.length > 0) return `${syscall}${purpose(line)} ${names.join(' → ')}`
  return /<TCPv?6?:\[/.test(line) || line.startsWith('socket(AF_INET') ? `${syscall} connection` : undefined
}

/** What a file is opened for. */
function purpose(line: string): string {
  if (!line.startsWith('open')) return ''
  if (line.includes('O_CREAT')) return ' to create'
  return /O_WRONLY|O_RDWR/.test(line) ? ' to write' : ''
}

/** Without what is random in it. */
function readable(path: string): string {
  return path.replaceAll(/owner-[0-9a-f]{32}/g, 'owner-*').replaceAll(/\.[0-9a-f]{12}\.tmp/g, '.*.tmp')
}
