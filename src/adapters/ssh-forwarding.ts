import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Environment } from './whereabouts.ts'

/**
 * The command that, run where the person sits, makes the browser's `localhost` lead to this port here. Where it cannot be
 * known how this machine is reached from there, it says `user@host`.
 */
export function sshForwarding(port: number, env: Environment): string {
  const server = reachedServer(env['SSH_CONNECTION'] ?? '')
  const forward = `ssh -L ${port}:localhost:${port}`
  if (server === undefined) return `${forward} user@host`
  const user = /^[\w.-]+$/.exec(env['USER'] ?? '')?.[0] ?? 'user'
  return `${forward}${server.port === '22' ? '' : ` -p ${server.port}`} ${user}@${server.address}`
}

/** `undefined`: what this machine calls itself is not what it is called at the other end. */
function reachedServer(connection: string): { address: string; port: string } | undefined {
  const [client = '', , server = '', port = ''] = connection.split(' ').map(withoutMapping)
  if (isIP(client) === 0 || isIP(server) === 0 || !/^\d{1,5}$/.test(port)) return undefined
  if (contains(ONLY_HERE, server) || contains(ONLY_HERE, client)) return undefined
  // A private address that was reached from a public one is behind a translation of addresses.
  if (contains(PRIVATE, server) && !contains(PRIVATE, client)) return undefined
  return { address: server, port }
}

function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

const ONLY_HERE = subnets('127.0.0.0/8', '::1/128', '169.254.0.0/16', 'fe80::/10')
/** RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE = subnets('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7')

function subnets(...ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/')
    list.addSubnet(net, Number(prefix), isIPv6(net) ? 'ipv6' : 'ipv4')
  }
  return list
}
