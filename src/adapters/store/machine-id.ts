import { readFileSync } from 'node:fs'

/**
 * The operating system's stable name for this machine, never the host's or the user's name, which change.
 * `undefined`: there is none, as in most containers.
 */
export function machineId(platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform === 'darwin')
    return parseIoreg(run('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']))
  if (platform === 'win32')
    return parseRegistry(run(`${process.env['SystemRoot']}\\System32\\reg.exe`, REGISTRY_QUERY))
  return parseMachineId(read('/etc/machine-id'))
}

const REGISTRY_QUERY = ['query', 'HKLM\\SOFTWARE\\Microsoft\\Cryptography', '/v', 'MachineGuid', '/reg:64']

/** `machine-id(5)`: 32 hexadecimal digits, not all zero. An image never booted says "uninitialized", or nothing. */
export function parseMachineId(text: string): string | undefined {
  return /^(?!0{32})([0-9a-f]{32})\s*$/.exec(text)?.[1]
}

export function parseIoreg(text: string): string | undefined {
  return /"IOPlatformUUID"\s*=\s*"([0-9A-Fa-f-]{36})"/.exec(text)?.[1]
}

export function parseRegistry(text: string): string | undefined {
  return /MachineGuid\s+REG_SZ\s+([0-9A-Fa-f-]{36})/.exec(text)?.[1]
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // No file is the answer: this system has no stable name.
    return ''
  }
}

function run(command: string, args: string[]): string {
  // Loading it costs more than everything else the hot path does, and Linux does not need it.
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    })
  } catch {
    // The same answer: a system without the tool has no stable name that we can rely on.
    return ''
  }
}
