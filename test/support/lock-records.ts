import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ownerFile, writeSpending, type Owner } from '../../src/adapters/store/lock-owner.ts'
import { here, sight } from '../../src/adapters/store/lock-process.ts'

export interface Planted {
  /** What differs from an owner that is this very process. */
  readonly owner?: Partial<Owner>
  /** The hash of a token that the owner is spending. */
  readonly spending?: string
  /** Seconds since the last heartbeat; negative is ahead of time. */
  readonly age?: number
}

/** Puts a lock there as another process would have left it, and returns the name of its owner file. */
export function plantLock(path: string, { owner = {}, spending, age = 0 }: Planted = {}): string {
  const { name, bytes } = ownerFile({ ...thisOwner(), ...owner })
  mkdirSync(path)
  writeFileSync(join(path, name), bytes)
  if (spending !== undefined) writeSpending(join(path, name), spending, 1_700_000_000)
  chmodSync(path, 0o1700)
  setAge(path, age)
  return name
}

export function thisOwner(): Owner {
  const { start } = sight(process.pid)
  return { ...here(), pid: process.pid, start, command: 'codex-auth token', since: 1_700_000_000 }
}

/** A process number that belongs to nobody any more. */
export function deadPid(): number {
  return spawnSync('true').pid
}

/** Seconds since the last heartbeat. */
export function setAge(path: string, age: number): void {
  const beat = Date.now() / 1000 - age
  utimesSync(path, beat, beat)
}

/** Everything in a folder, with what is in its folders. */
export function tree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
}
