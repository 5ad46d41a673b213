import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { thisSystem, whereabouts, type Environment, type System } from '../../src/adapters/whereabouts.ts'

const DESKTOP: Environment = { DISPLAY: ':0' }
const AT_A_DESKTOP = { ssh: false, container: false, wsl: false, display: true }
const ID = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('a screen', () => {
  test.each<[string, Environment, boolean]>([
    ['X11', { DISPLAY: ':0' }, true],
    ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['neither', {}, false],
    ['variables that are set and empty', { DISPLAY: '', WAYLAND_DISPLAY: '' }, false],
  ])('on Linux: %s', (_what, env, display) => {
    expect(whereabouts(env, linux())).toEqual({ ssh: false, container: false, wsl: false, display })
  })

  test.each<NodeJS.Platform>(['darwin', 'win32'])('on %s is always there', (platform) => {
    expect(whereabouts({}, { ...linux(), platform })).toEqual(AT_A_DESKTOP)
  })

  test.each<NodeJS.Platform>(['darwin', 'win32'])('on %s is another’s over SSH', (platform) => {
    expect(whereabouts({ SSH_TTY: '/dev/ttys001' }, { ...linux(), platform })).toEqual({
      ...AT_A_DESKTOP,
      ssh: true,
      display: false,
    })
  })
})

test.each<Environment>([
  { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' },
  { SSH_CLIENT: '192.0.2.1 50000 22' },
  { SSH_TTY: '/dev/pts/3' },
])('a connection of SSH is known by %j', (env) => {
  expect(whereabouts({ ...DESKTOP, ...env }, linux())).toEqual({ ...AT_A_DESKTOP, ssh: true })
})

test('an agent of SSH alone is no connection', () => {
  expect(whereabouts({ ...DESKTOP, SSH_AUTH_SOCK: '/tmp/agent', SSH_TTY: '' }, linux())).toEqual(AT_A_DESKTOP)
})

describe('a container', () => {
  test.each<[string, Environment, Record<string, string>]>([
    ['Docker’s file', {}, { '/.dockerenv': '' }],
    ['Podman’s file', {}, { '/run/.containerenv': '' }],
    ['Kubernetes', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, {}],
    ['what Podman and systemd-nspawn set', { container: 'systemd-nspawn' }, {}],
    ['what systemd inside of it has written', {}, { '/run/systemd/container': 'lxc\n' }],
    ['the group of Docker', {}, { '/proc/self/cgroup': `12:pids:/docker/${ID}\n1:name=systemd:/\n` }],
    ['the group of Podman', {}, { '/proc/self/cgroup': `0::/user.slice/libpod-${ID}.scope/container\n` }],
    [
      'the group of containerd',
      {},
      { '/proc/self/cgroup': `0::/kubepods/pod1/cri-containerd-${ID}.scope\n` },
    ],
  ])('is known by %s', (_what, env, files) => {
    expect(whereabouts({ ...DESKTOP, ...env }, linux(files))).toEqual({ ...AT_A_DESKTOP, container: true })
  })

  test.each<[string, Environment, Record<string, string>]>([
    ['Flatpak, which shares the desktop', { container: 'flatpak' }, {}],
    ['a service named docker', {}, { '/proc/self/cgroup': '0::/system.slice/docker.service\n' }],
    [
      'other long names',
      {},
      { '/proc/self/cgroup': `0::/app-${ID}0.scope\n0::/${ID.slice(1)}\n0::/${ID}x\n` },
    ],
    ['the whole machine', {}, { '/proc/self/cgroup': '0::/user.slice/session-2.scope\n' }],
  ])('is not %s', (_what, env, files) => {
    expect(whereabouts({ ...DESKTOP, ...env }, linux(files))).toEqual(AT_A_DESKTOP)
  })

  test('is not sought on macOS, where its variables are for the containers that a person works with', () => {
    const mac: System = { ...linux({ '/.dockerenv': '' }), platform: 'darwin' }
    expect(whereabouts({ KUBERNETES_SERVICE_HOST: '10.0.0.1', container: 'x' }, mac)).toEqual(AT_A_DESKTOP)
  })
})

describe('WSL', () => {
  test.each<Record<string, string>>([
    { '/proc/sys/kernel/osrelease': '4.4.0-19041-Microsoft\n' },
    { '/proc/sys/kernel/osrelease': '5.15.167.4-microsoft-standard-WSL2\n' },
    { '/proc/sys/kernel/osrelease': '6.6.0-mine\n', '/run/WSL': '' },
    {
      '/proc/sys/kernel/osrelease': '5.15.167.4-microsoft-standard-WSL2\n',
      '/run/systemd/container': 'wsl\n',
    },
  ])('is known by %j', (files) => {
    expect(whereabouts({}, linux(files))).toEqual({ ...AT_A_DESKTOP, wsl: true, display: false })
  })

  test('is not what a container there runs in', () => {
    const files = { '/proc/sys/kernel/osrelease': '5.15.167.4-microsoft-standard-WSL2\n', '/.dockerenv': '' }
    expect(whereabouts({}, linux(files))).toEqual({
      ssh: false,
      container: true,
      wsl: false,
      display: false,
    })
  })

  test('is not a kernel that was built on a machine of that name', () => {
    const files = {
      '/proc/sys/kernel/osrelease': '6.1.0-azure\n',
      '/proc/version': 'Linux version 6.1.0-azure (root@builder.microsoft.com)\n',
    }
    expect(whereabouts(DESKTOP, linux(files))).toEqual(AT_A_DESKTOP)
  })
})

test('a process learns of its own system', () => {
  expect(thisSystem.read('/nowhere')).toBe('')
  expect(thisSystem.exists('/nowhere')).toBe(false)
  expect(thisSystem.platform).toBe(process.platform)
  expect(thisSystem.exists(process.execPath)).toBe(existsSync(process.execPath))
  expect(whereabouts(DESKTOP).display).toBe(true)
})

/** Linux with these files. */
function linux(files: Readonly<Record<string, string>> = {}): System {
  return { platform: 'linux', read: (path) => files[path] ?? '', exists: (path) => path in files }
}
