import { existsSync, readFileSync } from 'node:fs'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where this process runs, as far as it matters to a sign-in in a browser. */
export interface Whereabouts {
  /** The person sits at another machine. */
  readonly ssh: boolean
  /** `localhost` here may not be the browser's `localhost`. */
  readonly container: boolean
  /** Linux under Windows, whose programs can be started from here. A container there is only a container. */
  readonly wsl: boolean
  /** A browser's window has a screen to be on. On macOS and Windows that is so but for SSH. */
  readonly display: boolean
}

/** What a process can learn about its system. */
export interface System {
  readonly platform: NodeJS.Platform
  /** Empty when there is no such file, or none that may be read. */
  read(path: string): string
  exists(path: string): boolean
}

export const thisSystem: System = {
  platform: process.platform,
  read: (path) => {
    try {
      return readFileSync(path, 'latin1')
    } catch {
      // Without the file, the system is not one of those that have it.
      return ''
    }
  },
  exists: existsSync,
}

export function whereabouts(env: Environment, system: System = thisSystem): Whereabouts {
  const ssh = Boolean(env['SSH_CONNECTION'] || env['SSH_CLIENT'] || env['SSH_TTY'])
  const container = isContainer(env, system)
  return {
    ssh,
    container,
    wsl: !container && isWsl(system),
    display: hasWindows(system.platform) ? !ssh : Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']),
  }
}

/** Systems whose windows need no display server that a process would be told of. */
export function hasWindows(platform: NodeJS.Platform): boolean {
  return platform === 'darwin' || platform === 'win32' || platform === 'android'
}

function isContainer(env: Environment, { platform, read, exists }: System): boolean {
  if (platform !== 'linux') return false
  return (
    Boolean(env['KUBERNETES_SERVICE_HOST']) ||
    exists('/.dockerenv') ||
    exists('/run/.containerenv') ||
    isContainerManager(env['container']) ||
    isContainerManager(read('/run/systemd/container').trim()) ||
    CONTAINER_GROUP.test(read('/proc/self/cgroup'))
  )
}

/**
 * systemd's container interface: the manager's name. Flatpak keeps to it as well, but shares network and screen with
 * the desktop, and systemd counts WSL as a manager.
 */
function isContainerManager(name: string | undefined): boolean {
  return Boolean(name) && name !== 'flatpak' && name !== 'wsl'
}

/** A group named by a whole container id, as Docker, Podman, containerd and CRI-O do. A mere "docker" may be the service. */
const CONTAINER_GROUP = /[/:-][0-9a-f]{64}(?:\.scope)?(?:\/|$)/m

/** `/proc/version` is no sign: it also names the machine where the kernel was built. */
function isWsl({ platform, read, exists }: System): boolean {
  if (platform !== 'linux') return false
  // Who builds a kernel of their own for it may name it as they like; the folder is made by WSL's own init.
  return /microsoft/i.test(read('/proc/sys/kernel/osrelease')) || exists('/run/WSL')
}
