import fs, { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { acquireLock, type LockHandle } from '../../src/adapters/store/lock.ts'
import type { LockEvent, LockOrder, LockTask } from './lock-program.ts'
import { plantLock } from './lock-records.ts'

const task = JSON.parse(process.argv[2] ?? '') as LockTask

async function perform(): Promise<void> {
  switch (task.kind) {
    case 'hold':
      return hold(await acquire())
    case 'count':
      for (let n = 0; n < task.times; n++) await counted(task.counter, (lock) => lock.release())
      return
    case 'abandon':
      for (let n = 0; n < task.times; n++) await counted(task.counter, (lock) => abandon(lock, task.deadPid))
      return
    case 'interrupt':
      interruptBefore(task.step, task.signal)
      return counted(task.counter, (lock) => lock.release())
  }
}

async function acquire(): Promise<LockHandle> {
  const acquired = await acquireLock(task.path, { deadline: 60, settled: () => tell('waiting') })
  if (!('handle' in acquired)) throw new Error('nothing settles this wait')
  return acquired.handle
}

async function hold(lock: LockHandle): Promise<void> {
  tell('held')
  for (;;) {
    const [order] = (await once(process, 'message')) as [LockOrder]
    if (order === 'exit') process.exit()
    if (order === 'release') return letGo(lock)
    lock.recordSpending('hash')
    tell('spent')
  }
}

async function letGo(lock: LockHandle): Promise<void> {
  await lock.release()
  tell('released')
}

async function counted(counter: string, after: (lock: LockHandle) => Promise<unknown>): Promise<void> {
  const lock = await acquire()
  closeSync(openSync(`${counter}.witness`, 'wx'))
  const before = Number(readFileSync(counter, 'utf8'))
  await setImmediate()
  writeFileSync(counter, String(before + 1))
  rmSync(`${counter}.witness`)
  await after(lock)
}

/** Nobody holds the lock between the two steps, so that a living process may well come in between. */
async function abandon(lock: LockHandle, pid: number): Promise<void> {
  const prepared = `${task.path}.prepared-${process.pid}`
  plantLock(prepared, { owner: { pid } })
  await lock.release()
  try {
    renameSync(prepared, task.path)
  } catch {
    // It has.
    rmSync(prepared, { recursive: true })
  }
}

/** Counts the operations on files in the lock's folder, as the program under test calls them. */
function interruptBefore(step: number, signal: NodeJS.Signals): void {
  let next = 1
  const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of OPERATIONS) {
    const operation = functions[name]
    functions[name] = (...args) => {
      if (String(args[0]).startsWith(dirname(task.path)) && next++ === step) process.kill(process.pid, signal)
      return operation?.(...args)
    }
  }
  syncBuiltinESMExports()
}

const OPERATIONS = [
  'chmodSync',
  'lstatSync',
  'mkdirSync',
  'openSync',
  'readdirSync',
  'renameSync',
  'rmdirSync',
  'rmSync',
  'stat',
  'unlinkSync',
  'utimes',
  'writeFileSync',
]

function tell(event: LockEvent): undefined {
  process.send?.(event)
  return undefined
}

await perform()
process.disconnect()
