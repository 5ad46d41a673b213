import { afterEach, beforeEach, expect, test } from 'vitest'
import { failedInWords } from '../support/expected-output.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

let home: Home

beforeEach(() => {
  home = temporaryHome()
})

afterEach(() => home.remove([]))

/** No PowerShell is driven by these tests, so its script is held to its words. The others are in e2e/completion. */
const POWERSHELL = `# Completion of codex-auth for PowerShell.
Register-ArgumentCompleter -Native -CommandName 'codex-auth' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { ":$($_.Extent.Text)" })
    if ($wordToComplete -eq '') { $words += ':' }
    foreach ($answer in @(& codex-auth '__complete' @words 2>$null)) {
        # PowerShell completes files where nothing else is offered.
        if ($answer.StartsWith(':')) { return }
        $word, $description = $answer -split "\`t", 2
        if (-not $description) { $description = $word }
        if ($word.StartsWith($wordToComplete, [StringComparison]::OrdinalIgnoreCase)) {
            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $description)
        }
    }
}
`

test('the script for PowerShell is this', async () => {
  expect(await home.run('completion powershell')).toEqual({ exitCode: 0, stdout: POWERSHELL, stderr: '' })
})

test.each([
  ['bash', /^# .*\n_codex_auth\(\) \{\n[^]*\ncomplete -F _codex_auth codex-auth\n$/],
  ['zsh', /^#compdef codex-auth\n[^]*\n {2}compdef _codex-auth codex-auth\nfi\n$/],
  [
    'fish',
    /^# .*\nfunction __codex_auth_complete\n[^]*\ncomplete -c codex-auth -f -a '\(__codex_auth_complete\)'\n$/,
  ],
])('the script for %s is printed, also in an object', async (shell, form) => {
  const { stdout, ...rest } = await home.run(`completion ${shell} --quiet`)
  expect(rest).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(form)
  const json = await home.run(`completion ${shell} --json`)
  expect(JSON.parse(json.stdout)).toEqual({ schema_version: 1, shell, script: stdout })
})

test.each([
  ['completion', "Missing required argument 'shell'."],
  [
    'completion tcsh',
    "Command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish, powershell.",
  ],
])('%s ends with 2', async (words, message) => {
  expect(await home.run(words)).toEqual(
    failedInWords({ exit_code: 2, message, next_step: 'codex-auth completion --help' }),
  )
})

test('its help says how to load it', async () => {
  const { stdout } = await home.run('completion --help')
  expect(stdout).toContain(
    '\nTo load it in bash, put this into ~/.bashrc:\n  source <(codex-auth completion bash)\n',
  )
})
