import { expect, test } from 'vitest'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { startOnTerminal } from '../support/terminal.ts'

const CTRL_C = '\x03'

/**
 * Asks its parent, which is us, for SIGUSR1 when Ctrl-C comes, and ends with it. Whatever we passed on of the Ctrl-C came
 * before that one, since lower numbers go first.
 */
const COUNTS_INTERRUPTIONS = `
  trap 'echo interrupted; kill -USR1 $PPID' INT
  trap 'exit 42' USR1
  echo ready
  while :; do sleep 0.05; done`

test('Ctrl-C reaches the command of exec once, and what it makes of it is how we end', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin())
  const terminal = startOnTerminal(['exec', '--', 'bash', '-c', COUNTS_INTERRUPTIONS], { home })
  await terminal.shows(/ready/)
  terminal.type(CTRL_C)
  const { exitCode, shown } = await terminal.ended
  expect({ exitCode, shown }).toEqual({ exitCode: 42, shown: 'ready\n^Cinterrupted\n' })
})

test('the command of exec is at the terminal as if it had been started there', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin())
  const asks = 'test -t 0 && test -t 1 && test -t 2 && read -rp "Name? " name && echo "hello $name"'
  const terminal = startOnTerminal(['exec', '--', 'bash', '-c', asks], { home })
  await terminal.shows(/Name\? /)
  terminal.type('Ada\n')
  expect(await terminal.ended).toEqual({ exitCode: 0, shown: 'Name? Ada\nhello Ada\n' })
})
