import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import {
  hasRestarted,
  here,
  parseStat,
  sharesProcesses,
  sight,
  sightWithPs,
  type Place,
} from '../../../src/adapters/store/lock-process.ts'
import { deadPid } from '../../support/lock-records.ts'

vi.setConfig({ testTimeout: 30_000 })
const linux = process.platform === 'linux'

describe('the sight of a process', () => {
  it('is the same each time for one that runs', () => {
    expect(sight(process.pid)).toEqual({ state: 'running', start: sight(process.pid).start })
  })

  it.runIf(linux)('tells when it started, which is no other for a younger one', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const young = sight(child.pid ?? 0)
    child.kill('SIGKILL')

    expect(young).toEqual({ state: 'running', start: expect.stringMatching(/^\d+$/) })
    expect(Number(young.start)).toBeGreaterThan(Number(sight(process.pid).start))
  })

  it.runIf(linux)(
    "is that of a single thread by its number, and gone when it is none of the process's",
    () => {
      const { start } = sight(process.pid)
      expect(sight(process.pid, process.pid)).toEqual({ state: 'running', start })
      expect(sight(process.pid, deadPid())).toEqual({ state: 'gone', start: undefined })
    },
  )

  it('is gone for a number that nobody has', () => {
    expect(sight(deadPid())).toEqual({ state: 'gone', start: undefined })
  })

  it.runIf(linux)('is gone for a zombie', async () => {
    // The shell becomes a program that never collects its child.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const zombie = Number(line.toString())
    await vi.waitUntil(() => readFileSync(`/proc/${zombie}/stat`, 'latin1').includes(') Z '), {
      timeout: 10_000,
      interval: 5,
    })

    expect(sight(zombie)).toEqual({ state: 'gone', start: undefined })
    parent.kill('SIGKILL')
  })

  it('tells a stopped one', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    child.kill('SIGSTOP')
    await vi.waitFor(() => expect(sight(child.pid ?? 0).state).toBe('stopped'), {
      timeout: 10_000,
      interval: 5,
    })
    child.kill('SIGKILL')
  })

  it('reads past a name made to confuse it', () => {
    const rest = Array.from({ length: 30 }, (_, index) => index + 4).join(' ')
    expect(parseStat(`42 (a) S 1 (b) T ${rest}`)).toEqual({ state: 'stopped', start: '22' })
  })

  it('can be had from ps, the same in any time zone', () => {
    const sightings = ['UTC', 'Asia/Tokyo'].map(sightInZone)
    vi.unstubAllEnvs()
    const lstart = execFileSync('ps', ['-o', 'lstart=', '-p', String(process.pid)], {
      env: { TZ: 'UTC0', PATH: process.env['PATH'], LC_ALL: 'C' },
    })

    const expected = { state: 'running', start: lstart.toString().trim() }
    expect(sightings).toEqual([expected, expected])
  })
})

describe('a place', () => {
  it.runIf(linux)('is described by what the system tells', () => {
    expect(here()).toEqual({
      host: hostname(),
      machine: expect.toSatisfy((id) => id === undefined || /^[0-9a-f]{16}$/.test(id)),
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      namespaces: expect.stringMatching(/^pid:\[\d+\]( time:\[\d+\])?$/),
    })
  })

  const there: Place = { host: 'a', machine: 'm', boot: 'b', namespaces: 'n' }

  it.each<[NodeJS.Platform, Partial<Place>, Partial<Place>, boolean]>([
    ['linux', {}, {}, true],
    ['linux', {}, { host: 'renamed' }, true],
    ['linux', {}, { boot: 'c' }, false],
    ['linux', {}, { namespaces: 'o' }, false],
    ['linux', { namespaces: undefined }, { namespaces: undefined }, false],
    ['linux', { boot: undefined }, { boot: undefined }, false],
    ['darwin', { namespaces: undefined }, { namespaces: undefined, host: 'renamed' }, true],
    ['darwin', { boot: undefined }, { boot: undefined }, false],
    ['win32', { boot: undefined }, { boot: undefined }, true],
    ['win32', { boot: undefined }, { boot: undefined, host: 'b' }, false],
    ['win32', {}, { boot: undefined }, false],
  ])('on %s, %j shares its processes with %j: %s', (platform, one, other, shares) => {
    expect(sharesProcesses({ ...there, ...one }, { ...there, ...other }, platform)).toBe(shares)
  })

  it.each<[string, Partial<Place>, number, boolean]>([
    ['another boot, and an older heartbeat: it has', { boot: 'c' }, 5, true],
    ['the same boot: it has not', {}, 5, false],
    ['a later heartbeat: not known', { boot: 'c' }, -5, false],
    ['another name: not known', { boot: 'c', host: 'renamed' }, 5, false],
    ['another machine: not known', { boot: 'c', machine: 'o' }, 5, false],
    ['no machine: not known', { boot: 'c', machine: undefined }, 5, false],
  ])('has been started again? %s', (_, differing, beforeStart, restarted) => {
    const lastBeat = Date.now() - uptime() * 1000 - beforeStart * 1000
    expect(hasRestarted({ ...there, ...differing }, there, lastBeat)).toBe(restarted)
  })
})

function sightInZone(zone: string): unknown {
  vi.stubEnv('TZ', zone)
  return sightWithPs(process.pid)
}
