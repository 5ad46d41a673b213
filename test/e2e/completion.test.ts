import { existsSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { startShell } from '../support/interactive-shell.ts'
import { available } from '../support/shell.ts'

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion'

/** What `codex-auth` does when a line is run: it says which one it was. Completion asks the program itself. */
const RECORDER = 'codex-auth() { printf "ran <%s>\\n" "$*"; }'

/** How each shell is started, and what it reads first. */
const SHELLS = [
  {
    name: 'bash',
    command: 'bash --noprofile --rcfile "$START" -i',
    start: `PS1='ready> '\nsource <(codex-auth completion bash)\n${RECORDER}`,
    isHere: available(['bash']).length > 0,
    described: false,
  },
  {
    name: 'bash with bash-completion',
    command: 'bash --noprofile --rcfile "$START" -i',
    start: `PS1='ready> '\n. ${BASH_COMPLETION}\nsource <(codex-auth completion bash)\n${RECORDER}`,
    isHere: existsSync(BASH_COMPLETION),
    described: false,
  },
  {
    name: 'zsh',
    command: 'zsh -d -i',
    start: `PS1='ready> '\nautoload -U compinit\ncompinit -D\nsource <(codex-auth completion zsh)\n${RECORDER}`,
    isHere: available(['zsh']).length > 0,
    described: true,
  },
  {
    name: 'fish',
    command: 'fish --no-config -i --init-command "source $START"',
    start: [
      'set -g fish_greeting',
      'function fish_prompt; echo -n "ready> "; end',
      'codex-auth completion fish | source',
      'function codex-auth; printf "ran <%s>\\n" "$argv"; end',
    ].join('\n'),
    isHere: available(['fish']).length > 0,
    described: true,
  },
].filter(({ isHere }) => isHere)

async function homeWithProfiles(...names: string[]): Promise<string> {
  const home = newHome()
  const issuer = await newIssuer()
  for (const name of names) await storeLogin(home, issuer.issueLogin(), {}, name)
  return home
}

/** What is typed, `→` being the Tab key, and the line that is run in the end. */
const LINES = [
  ['tok→', 'token'],
  ['stat→--al→', 'status --all'],
  ['profile use wo→', 'profile use work'],
  ['profile use "wo→', 'profile use work'],
  ["--profile 'wo→stat→", '--profile work status'],
  ['--profile wo→stat→', '--profile work status'],
  ['login --redirect-host l→', 'login --redirect-host localhost'],
  ['login --redirect-host=l→', 'login --redirect-host=localhost'],
  ['login --provider oid→--iss→', 'login --provider oidc --issuer'],
  ['config set lock→', 'config set lock_wait'],
  ['help conf→', 'help config'],
  ['completion f→', 'completion fish'],
  ['token --min-ttl to→', 'token --min-ttl to'],
  ['token nothing→', 'token nothing'],
  ['token -- codex-au→', 'token -- codex-auth'],
  ['exec --env X cat /etc/os-rel→', 'exec --env X cat /etc/os-release'],
]

describe.for(SHELLS)('in $name', ({ command, start, described }) => {
  test('Tab completes commands, flags, their values, profiles and settings', async () => {
    const home = await homeWithProfiles('default', 'work')
    const shell = startShell({ home, command, start })
    onTestFinished(() => shell.end())
    await shell.shows(/ready> /)
    const ran: string[] = []
    for (const [typed = ''] of LINES) {
      shell.type(`codex-auth ${typed.replaceAll('→', '\t')}\r`)
      const [, line = ''] = await shell.shows(new RegExp(`(?:ran <([^>]*)>[^]*?){${ran.length + 1}}`))
      ran.push(line.trim())
    }
    expect(ran).toEqual(LINES.map(([, line]) => line))
  })

  test('Tab shows what may come next', async () => {
    const shell = startShell({ home: newHome(), command, start })
    onTestFinished(() => shell.end())
    await shell.shows(/ready> /)
    // Bash shows them when it is asked twice.
    const tab = described ? '\t' : '\t\t'
    shell.type(`codex-auth completion ${tab}`)
    // Nothing but the names: none of them is described.
    await shell.shows(/\bbash\s[^-]*\bfish\s[^-]*\bpowershell\s[^-]*\bzsh\b/)
    shell.type(`\u0015codex-auth profile ${tab}`)
    const names = described ? /\buse\b\W*Make a profile the default/ : /\blist +remove +use\b/
    await expect(shell.shows(names)).resolves.toHaveLength(1)
  })
})
