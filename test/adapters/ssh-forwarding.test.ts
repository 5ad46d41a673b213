import { expect, test } from 'vitest'
import { sshForwarding } from '../../src/adapters/ssh-forwarding.ts'

test.each([
  ['a public address', '198.51.100.7 50000 203.0.113.5 22', 'alice@203.0.113.5'],
  ['another port of the server', '198.51.100.7 50000 203.0.113.5 2222', '-p 2222 alice@203.0.113.5'],
  ['IPv6', '2001:db8::7 50000 2001:db8::5 22', 'alice@2001:db8::5'],
  ['IPv4 within IPv6', '::ffff:198.51.100.7 50000 ::ffff:203.0.113.5 22', 'alice@203.0.113.5'],
  ['one network at home', '192.168.1.7 50000 192.168.1.5 22', 'alice@192.168.1.5'],
  ['two private networks', '10.8.0.2 50000 172.16.4.5 22', 'alice@172.16.4.5'],
  ['one private network over IPv6', 'fd00::7 50000 fd00::5 22', 'alice@fd00::5'],
])('names the server as SSH reached it: %s', (_what, SSH_CONNECTION, server) => {
  expect(sshForwarding(1455, { SSH_CONNECTION, USER: 'alice' })).toBe(`ssh -L 1455:localhost:1455 ${server}`)
})

test.each([
  ['nothing is known', ''],
  ['it was forwarded to this machine', '198.51.100.7 50000 127.0.0.1 22'],
  ['it came through another connection', '127.0.0.1 50000 203.0.113.5 22'],
  ['it came through another connection over IPv6', '::1 50000 ::1 22'],
  ['addresses were translated on the way', '198.51.100.7 50000 10.0.0.5 22'],
  ['addresses were translated by a carrier', '198.51.100.7 50000 100.64.0.5 22'],
  ['the address means something on one cable only', 'fe80::7%eth0 50000 fe80::5%eth0 22'],
  ['it is something else', '198.51.100.7 50000 $(reboot) 22'],
  ['there is something behind it', '198.51.100.7 50000 203.0.113.5 22;reboot'],
])('names no server when %s', (_what, SSH_CONNECTION) => {
  expect(sshForwarding(1457, { SSH_CONNECTION, USER: 'alice' })).toBe('ssh -L 1457:localhost:1457 user@host')
})

test.each([undefined, '', 'a;reboot', '-oProxyCommand=x y'])('names no user %j', (USER) => {
  expect(sshForwarding(1455, { SSH_CONNECTION: '198.51.100.7 50000 203.0.113.5 22', USER })).toBe(
    'ssh -L 1455:localhost:1455 user@203.0.113.5',
  )
})
