import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addressOf, runCli, startCli, type Running } from '../support/cli.ts'
import { newHome, newIssuer, redirectUriOf } from '../support/e2e.ts'
import { hold } from '../support/fake-issuer.ts'
import { signIn } from '../support/sign-in.ts'

const LOST = [
  'codex-auth: Another sign-in was started and took the place of this one.',
  '  Next: finish the other sign-in',
  '',
]

interface Waiting extends Running {
  readonly address: string
  readonly port: number
}

/** Starts sign-ins in one folder, at the ports that are registered for them. */
async function signIns() {
  const [home, issuer] = [newHome(), await newIssuer()]
  const start = async (profile: string, ...flags: string[]): Promise<Waiting> => {
    const args = ['login', '--no-browser', '--issuer', issuer.issuer, '--profile', profile, ...flags]
    const running = startCli(args, { home })
    const address = await addressOf(running)
    return { ...running, address, port: Number(new URL(redirectUriOf(address)).port) }
  }
  return { home, issuer, start }
}

/** How a sign-in ended that was not finished. */
async function lost({ ended }: Waiting) {
  const { exitCode, stdout, stderr } = await ended
  return { exitCode, stdout, last: stderr.split('\n').slice(-3) }
}

describe('a second sign-in in another process', () => {
  test('for the same profile ends the first, and is finished', async () => {
    const { home, start } = await signIns()
    const first = await start('work')
    const second = await start('work')
    expect(await lost(first)).toEqual({ exitCode: 8, stdout: '', last: LOST })
    const status = JSON.parse((await runCli(['status', '--json', '--profile', 'work'], { home })).stdout)
    expect(status.login_in_progress).toMatchObject({ pid: second.pid, method: 'browser' })
    await signIn(second.address)
    expect((await second.ended).exitCode).toBe(0)
  })

  test('for another profile takes the other port; a third one takes one of them', async () => {
    const { start } = await signIns()
    const [first, second] = [await start('one'), await start('two')]
    expect([first.port, second.port]).toEqual([1455, 1457])
    const third = await start('three')
    expect(third.port).toBe(1455)
    expect(await lost(first)).toEqual({ exitCode: 8, stdout: '', last: LOST })
    for (const { address, ended } of [second, third]) {
      await signIn(address)
      expect((await ended).exitCode).toBe(0)
    }
  })

  test('leaves another program its port, and takes the one of ours', async () => {
    const foreign = await occupy(1455)
    const { start } = await signIns()
    const first = await start('one')
    const second = await start('two')
    expect([first.port, second.port]).toEqual([1457, 1457])
    expect(await lost(first)).toEqual({ exitCode: 8, stdout: '', last: LOST })
    expect(foreign.listening).toBe(true)
    second.kill('SIGTERM')
    expect((await second.ended).exitCode).toBe(143)
  })

  test('is not kept waiting by one that was killed', async () => {
    const { start } = await signIns()
    const first = await start('work')
    first.kill('SIGKILL')
    await first.ended
    const second = await start('work')
    expect(second.port).toBe(1455)
    await signIn(second.address)
    expect((await second.ended).exitCode).toBe(0)
  })

  test('is not kept waiting by one that is stopped, and takes the port of another', async () => {
    const { start } = await signIns()
    const [first, second] = [await start('one'), await start('two')]
    first.kill('SIGSTOP')
    const third = await start('three')
    expect([first.port, second.port, third.port]).toEqual([1455, 1457, 1457])
    expect(await lost(second)).toEqual({ exitCode: 8, stdout: '', last: LOST })
    first.kill('SIGCONT')
    expect(await lost(first)).toEqual({ exitCode: 8, stdout: '', last: LOST })
    await signIn(third.address)
    expect((await third.ended).exitCode).toBe(0)
  })

  test('does not end one whose code is being traded', async () => {
    const { home, issuer, start } = await signIns()
    const first = await start('work')
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const page = signIn(first.address)
    await held.arrived
    const second = await start('work')
    held.release()
    expect([(await page).status, (await first.ended).exitCode]).toEqual([200, 0])
    second.kill('SIGINT')
    expect((await second.ended).exitCode).toBe(130)
    expect((await runCli(['token', '--profile', 'work'], { home })).exitCode).toBe(0)
  })

  test('with a device code ends one with a browser, and frees its port', async () => {
    const { home, issuer, start } = await signIns()
    const first = await start('work')
    issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
    const args = ['login', '--device-code', '--issuer', issuer.issuer, '--profile', 'work']
    const second = startCli(args, { home })
    await second.says(/enter the code/)
    expect(await lost(first)).toEqual({ exitCode: 8, stdout: '', last: LOST })
    await occupy(1455)
    expect((await second.ended).exitCode).toBe(0)
  })
})

/** Another program that listens there, until the test is over. */
async function occupy(port: number) {
  const server = createServer().listen({ port, host: '127.0.0.1' })
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return server
}
