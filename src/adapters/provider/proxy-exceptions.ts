import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import type { Environment } from './network-variables.ts'
import { portOf } from './port-of.ts'

/**
 * Whether `NO_PROXY` says that this address is reached without a proxy. Its
 * entries are divided by commas or spaces: `*`; a domain, which stands for all below it as well, with or without a dot
 * or `*.` before it; an address or a range such as `10.0.0.0/8`. A port after an entry limits it to that port.
 * Names are compared, never resolved.
 */
export function isException(url: URL, env: Environment): boolean {
  const entries = (env['no_proxy'] || env['NO_PROXY'] || '').toLowerCase()
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '')
  return entries.split(/[\s,]+/).some((entry) => covers(entry, host, portOf(url)))
}

function covers(entry: string, host: string, port: string): boolean {
  const [name, onlyPort = port] = divided(entry)
  if (onlyPort !== port) return false
  if (name === '*') return true
  if (isIP(host) !== 0) return includesAddress(name, host)
  const domain = name.replace(/^\*?\.|\.$/g, '')
  return host === domain || host.endsWith(`.${domain}`)
}

/** The end of an IPv6 address is no port, unless the address is in brackets. */
function divided(entry: string): [name: string, port: string | undefined] {
  if (isIPv6(entry) || entry.includes('/')) return [entry, undefined]
  const [, address, name = address, port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? []
  return [name ?? entry, port]
}

function includesAddress(range: string, address: string): boolean {
  const [first = '', length = ''] = range.split('/')
  const family = familyOf(first)
  if (family === undefined) return false
  const bits = family === 'ipv4' ? 32 : 128
  const prefix = range.includes('/') ? wholeNumber(length) : bits
  if (prefix > bits) return false
  const addresses = new BlockList()
  addresses.addSubnet(first, prefix, family)
  return addresses.check(address, familyOf(address))
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Infinity
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  if (isIPv6(address)) return 'ipv6'
  return isIPv4(address) ? 'ipv4' : undefined
}
