import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

import { afterEach, describe, expect, test } from 'vitest'

import { AuthError } from '../../../src/errors.ts'
import type { Listening } from '../../../src/core/ports.ts'
import { noRedirectPort } from '../../../src/adapters/redirect-listener/loopback.ts'
import { loopbackHosts } from '../../../src/adapters/redirect-listener/request.ts'
import { redirectListener } from '../../../src/adapters/redirect-listener.ts'
import { withoutOwners } from '../../support/expected-output.ts'
import { faultAnswer, fetchFrom, portOf } from './client.ts'

const nextStep = 'end the program that has the port, or sign in without one: codex-auth login --device-code'

const listenings: Listening[] = []
const others: Server[] = []
afterEach(async () => {
  await Promise.all(listenings.splice(0).map((listening) => listening.close()))
  await Promise.all(others.splice(0).map(async (server) => once(server.close(), 'close')))
})

async function listen(
  ports: readonly number[],
  redirectHost: 'localhost' | '127.0.0.1' = 'localhost',
  elsewhere?: string,
): Promise<Listening> {
  const listening = await redirectListener().listen({ ports, redirectHost, listen: elsewhere })
  listenings.push(listening)
  return listening
}

/** Another program's port. */
async function occupy(host: string, port = 0): Promise<number> {
  const server = createServer()
  await once(server.listen({ host, port }), 'listening')
  others.push(server)
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A port that nobody has. */
async function free(): Promise<number> {
  const listening = await redirectListener().listen({ ports: [0], redirectHost: 'localhost' })
  await listening.close()
  return portOf(listening)
}

async function hasIpv6(): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen({ host: '::1', port: 0 }), 'listening')
    await once(server.close(), 'close')
    return true
  } catch {
    return false
  }
}
const ipv6 = await hasIpv6()

/** The failure, without who has the ports. */
async function failure(ports: readonly number[]): Promise<unknown> {
  try {
    return await listen(ports)
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return Object.assign(error, { message: withoutOwners(error.message) })
  }
}

describe('listening', () => {
  test.each(['localhost', '127.0.0.1'] as const)('gives a redirect URI at %s', async (redirectHost) => {
    const listening = await listen([0], redirectHost)
    expect(listening.redirectUri).toMatch(new RegExp(`^http://${redirectHost}:\\d+/auth/callback$`))
  })

  test('is at the port asked for, on 127.0.0.1', async () => {
    const port = await free()
    expect((await listen([port])).redirectUri).toBe(`http://localhost:${port}/auth/callback`)
    expect(await fetchFrom(`http://127.0.0.1:${port}/`)).toEqual(faultAnswer('not_found'))
  })

  test.runIf(ipv6)('is at the same port on ::1', async () => {
    const listening = await listen([0])
    expect(await fetchFrom(`http://[::1]:${portOf(listening)}/`)).toEqual(faultAnswer('not_found'))
  })

  test('is nowhere but on loopback', async () => {
    const listening = await listen([0])
    // An address of 127.0.0.0/8 that is another: a server on all addresses would be there.
    await expect(fetchFrom(`http://127.0.0.2:${portOf(listening)}/`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  test('can be had again at a port that was closed', async () => {
    const port = await free()
    await (await listen([port])).close()
    expect(portOf(await listen([port]))).toBe(port)
  })
})

describe('a port that another program has', () => {
  test('on 127.0.0.1 is passed over', async () => {
    const taken = await occupy('127.0.0.1')
    const next = await free()
    expect(portOf(await listen([taken, next]))).toBe(next)
  })

  test.runIf(ipv6)('on ::1 only is passed over, and given back on 127.0.0.1', async () => {
    const taken = await occupy('::1')
    const next = await free()
    expect(portOf(await listen([taken, next]))).toBe(next)
    expect(await occupy('127.0.0.1', taken)).toBe(taken)
  })

  test.runIf(ipv6)('on all addresses is passed over', async () => {
    const taken = await occupy('::')
    const next = await free()
    expect(portOf(await listen([taken, next]))).toBe(next)
  })

  test('is named when there is no other', async () => {
    const [first, second] = [await occupy('127.0.0.1'), await occupy('127.0.0.1')]
    expect(await failure([first, second])).toEqual(
      new AuthError(
        'no_redirect_port',
        `Nothing can listen for the redirect on this machine: port ${first} is in use, port ${second} is in use.`,
        { nextStep },
      ),
    )
  })

  test('is named with who has it, as soon as the system tells that in time', async () => {
    const port = await occupy('127.0.0.1')
    const message = (): Promise<string> =>
      listen([port]).then(String, (error: unknown) => (error as AuthError).message)
    await expect
      .poll(message, { timeout: 20_000 })
      .toBe(
        `Nothing can listen for the redirect on this machine: port ${port} is in use by node (pid ${process.pid}).`,
      )
  })

  test('may be another sign-in', async () => {
    const port = portOf(await listen([0]))
    const message = `Nothing can listen for the redirect on this machine: port ${port} is in use.`
    expect(await failure([port])).toEqual(new AuthError('no_redirect_port', message, { nextStep }))
  })
})

describe('an address to listen on as well', () => {
  test('is reached at the same port, and loopback too', async () => {
    const { port } = await listen([0], 'localhost', '127.0.0.2')
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      expect(await fetchFrom(`http://${host}:${port}/`, { headers: { host: `localhost:${port}` } })).toEqual(
        faultAnswer('not_found'),
      )
    }
  })

  test.each(['127.0.0.1', '::1', '0.0.0.0', ...(ipv6 ? ['::'] : [])])(
    'may be %s, which has loopback in it',
    async (elsewhere) => {
      const { port } = await listen([0], 'localhost', elsewhere)
      for (const host of ['127.0.0.1', ...(ipv6 ? ['[::1]'] : [])]) {
        expect(await fetchFrom(`http://${host}:${port}/`)).toEqual(faultAnswer('not_found'))
      }
    },
  )

  test('does not make its own name good: the host is looked at all the same', async () => {
    const { port } = await listen([0], 'localhost', '0.0.0.0')
    expect(await fetchFrom(`http://127.0.0.2:${port}/auth/callback?code=a&state=b`)).toEqual(
      faultAnswer('wrong_host'),
    )
  })

  test('that is not of this machine is named as what failed', async () => {
    // RFC 5737: an address for documentation, which nobody has.
    const error = await listen([0], 'localhost', '192.0.2.1').catch((thrown: unknown) => thrown)
    const message = '192.0.2.1 is not an address of this machine, so nothing can listen on it.'
    const nextStepThere = 'write one that it has, or 0.0.0.0 for all: --listen 0.0.0.0'
    expect(error).toEqual(new AuthError('usage', message, { nextStep: nextStepThere }))
  })
})

/** The first port that needs no privilege; `0`: none needs one, or this system does not tell. */
function firstOpenPort(): number {
  const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
  return existsSync(setting) ? Number(readFileSync(setting, 'utf8')) : 0
}

test.runIf(firstOpenPort() > 1)('a port that needs privileges is named as such', async () => {
  const user = process.geteuid?.() ?? 0
  const message = 'Nothing can listen for the redirect on this machine: port 1 is not permitted (EACCES).'
  if (user === 0) process.seteuid?.(65_534)
  try {
    const withoutPort = 'sign in without a port: codex-auth login --device-code'
    expect(await failure([1])).toEqual(new AuthError('no_redirect_port', message, { nextStep: withoutPort }))
  } finally {
    if (user === 0) process.seteuid?.(0)
  }
})

test('ports are named with the reason why each could not be had', () => {
  const refused = [
    { port: 80, code: 'EACCES' },
    { port: 1455, code: 'EADDRINUSE' },
    { port: 1457, code: 'EPERM' },
    { port: 4711, code: 'EADDRINUSE', owner: 'nginx (pid 7)' },
    { port: 0, code: 'EADDRINUSE' },
    { port: 0, code: 'EADDRINUSE' },
  ]
  const reasons =
    'port 80 is not permitted (EACCES), port 1455 is in use, port 1457 failed (EPERM), port 4711 is in use by nginx (pid 7), any free port is in use'
  const message = `Nothing can listen for the redirect on this machine: ${reasons}.`
  expect(noRedirectPort(refused)).toEqual(new AuthError('no_redirect_port', message, { nextStep }))
})

test("a number that is no port is the caller's mistake, not a port that is taken", async () => {
  await expect(listen([65_536])).rejects.toThrow(RangeError)
})

test('a browser leaves out port 80, and no other', () => {
  expect([...loopbackHosts(1455)]).toEqual(['localhost:1455', '127.0.0.1:1455', '[::1]:1455'])
  expect([...loopbackHosts(80)]).toEqual([
    'localhost:80',
    'localhost',
    '127.0.0.1:80',
    '127.0.0.1',
    '[::1]:80',
    '[::1]',
  ])
})
