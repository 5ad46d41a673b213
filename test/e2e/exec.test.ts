import { mkdirSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startBearerServer } from '../support/bearer-server.ts'
import { runCli, startCli, type RunOptions } from '../support/cli.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { failed, failedInWords } from '../support/expected-output.ts'
import { hold } from '../support/fake-issuer.ts'
import { available, runScript } from '../support/shell.ts'

async function signedIn(lifetime = 3600) {
  const home = newHome()
  const issuer = await newIssuer()
  await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: lifetime }))
  return { home, issuer }
}

function runExec(command: readonly string[], options: RunOptions) {
  return runCli(['exec', '--', ...command], options)
}

describe('the command', () => {
  test('has our standard streams', async () => {
    const { home } = await signedIn()
    const running = startCli(['exec', '--', 'sh', '-c', 'cat; echo said >&2'], { home })
    running.stdin.end('one\ntwo')
    expect(await running.ended).toEqual({ exitCode: 0, stdout: 'one\ntwo', stderr: 'said\n' })
  })

  test('has what else was opened for it', async () => {
    const { home } = await signedIn()
    const given = join(home, 'given')
    writeFileSync(given, 'from a file\n')
    const command = "codex-auth exec -- sh -c 'cat <&3; cat <&7; echo to a pipe >&9'"
    const script = `echo from a pipe | { ${command} 3<${given} 7<&0 9>&1 </dev/null | cat; }`
    expect(await runScript(script, { home })).toEqual({
      exitCode: 0,
      stdout: 'from a file\nfrom a pipe\nto a pipe\n',
      stderr: '',
    })
  })

  test.for(available(['bash', 'zsh']))('reads what other commands print, as %s has it', async (shell) => {
    const { home } = await signedIn()
    const script = 'codex-auth exec -- cat <(echo one) <(echo two)'
    expect(await runScript(script, { home, shell })).toEqual({
      exitCode: 0,
      stdout: 'one\ntwo\n',
      stderr: '',
    })
  })

  test('reads and writes more than a pipe holds, at its own pace', async () => {
    const { home } = await signedIn()
    const script = 'head -c 300000 /dev/zero | codex-auth exec -- cat | { sleep 0.2; wc -c; }'
    expect(await runScript(script, { home })).toEqual({ exitCode: 0, stdout: '300000\n', stderr: '' })
  })

  test('ends when nobody reads what it writes, as it would by itself', async () => {
    const { home } = await signedIn()
    const script = 'codex-auth exec -- yes | head -n 1; echo "${PIPESTATUS[0]}"'
    const sigpipe = 128 + constants.signals.SIGPIPE
    expect(await runScript(script, { home, shell: 'bash' })).toEqual({
      exitCode: 0,
      stdout: `y\n${sigpipe}\n`,
      stderr: '',
    })
  })

  test('has its words as they were written, and no token among them', async () => {
    const { home } = await signedIn()
    const shown = 'for word; do echo "<$word>"; done; tr "\\0" " " </proc/$PPID/cmdline'
    const words = ['sh', '-c', shown, 'sh', '--json', '-h', '$HOME', '', 'a b', '--', '--profile']
    const { stdout, ...rest } = await runExec(words, { home })
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.split('\n').slice(0, 7)).toEqual([
      '<--json>',
      '<-h>',
      '<$HOME>',
      '<>',
      '<a b>',
      '<-->',
      '<--profile>',
    ])
  })

  test('is found in PATH, and a script without a first line is run by sh', async () => {
    const { home } = await signedIn()
    const bin = join(home, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'greet'), 'echo "hello $1"\n', { mode: 0o755 })
    const env = { PATH: `${bin}:${process.env['PATH']}` }
    expect(await runExec(['greet', 'you'], { home, env })).toEqual({
      exitCode: 0,
      stdout: 'hello you\n',
      stderr: '',
    })
  })

  test('meets the same profile when it calls codex-auth itself', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin(), {}, 'work')
    const script = 'codex-auth exec --profile work -- codex-auth status --json'
    const { exitCode, stdout } = await runScript(script, { home })
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      profile: 'work',
      state: 'valid',
    })
  })
})

describe('the exit code', () => {
  test.for([0, 1, 9, 255])('is that of the command (%d)', async (exitCode) => {
    const { home } = await signedIn()
    expect(await runExec(['sh', '-c', `exit ${exitCode}`], { home })).toEqual({
      exitCode,
      stdout: '',
      stderr: '',
    })
  })

  test.for(['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGINT'] as const)(
    'is 128 and its number when %s ended the command',
    async (signal) => {
      const { home } = await signedIn()
      const { exitCode } = await runExec(['sh', '-c', `kill -${signal.slice(3)} $$`], { home })
      expect(exitCode).toBe(128 + constants.signals[signal])
    },
  )

  test.for([
    ['not there', 'no-such-program', 'ENOENT'],
    ['not there, with a path', './no/such/program', 'ENOENT'],
    ['nothing at all', '', 'ENOENT'],
    ['below what is no folder', '/dev/null/program', 'ENOTDIR'],
    ['a folder', '/', 'EACCES'],
    ['no program', '/etc/passwd', 'EACCES'],
  ] as const)('is 127 or 126 when the command is %s', async ([, file, reason]) => {
    const { home } = await signedIn()
    const name = JSON.stringify(file)
    const failure =
      reason === 'ENOENT'
        ? {
            code: 'command_not_found',
            exit_code: 127,
            message: `The command ${name} was not found.`,
            next_step: 'check its name, PATH, and the interpreter that its first line names',
          }
        : {
            code: 'command_not_executable',
            exit_code: 126,
            message: `The command ${name} cannot be executed (${reason}).`,
            next_step: 'check that it is a program, and that you may run it',
          }
    expect(await runExec([file], { home })).toEqual(failedInWords(failure))
    expect(await runCli(['exec', '--json', '--', file], { home })).toEqual(failed(failure))
  })

  test('is 127 when the interpreter of a script is not there', async () => {
    const { home } = await signedIn()
    const script = join(home, 'script')
    writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 })
    expect((await runExec([script], { home })).exitCode).toBe(127)
  })

  test('is ours when there is no token, and nothing is run', async () => {
    const home = newHome()
    const failure = {
      code: 'login_required',
      exit_code: 4,
      message: 'Nobody is signed in to the profile "default".',
      next_step: 'codex-auth login',
    }
    expect(await runExec(['echo', 'run'], { home })).toEqual(failedInWords(failure))
    expect(await runCli(['--json', 'exec', 'echo', 'run'], { home })).toEqual(failed(failure))
  })
})

/** Says that it is ready, then that the signal came, and ends with 42. It looks now and then, as a shell has to. */
function waitingFor(signal: string): string[] {
  const name = signal.slice(3)
  return ['bash', '-c', `trap 'echo ${name}; exit 42' ${name}; echo ready >&2; while :; do sleep 0.05; done`]
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

describe('a signal', () => {
  test.for(SIGNALS)('is passed on to the command, which decides what it means (%s)', async (signal) => {
    const { home } = await signedIn()
    const running = startCli(['exec', '--', ...waitingFor(signal)], { home })
    await running.says(/^ready\n/)
    running.kill(signal)
    expect(await running.ended).toEqual({ exitCode: 42, stdout: `${signal.slice(3)}\n`, stderr: 'ready\n' })
  })

  test.for(['SIGTERM', 'SIGQUIT', 'SIGUSR2'] as const)(
    'is passed on after a refresh as well (%s)',
    async (signal) => {
      const { home, issuer } = await signedIn(-60)
      const running = startCli(['exec', '--', ...waitingFor(signal)], { home })
      await running.says(/^ready\n/)
      running.kill(signal)
      expect({ ...(await running.ended), refreshes: issuer.refreshes }).toEqual({
        exitCode: 42,
        stdout: `${signal.slice(3)}\n`,
        stderr: 'ready\n',
        refreshes: 1,
      })
    },
  )

  test('is passed on from the first moment that the command runs', async () => {
    const { home } = await signedIn()
    const waiting = 'n=0; while [ $((n += 1)) -lt 200 ]; do sleep 0.05; done'
    const command = `trap 'exit 42' QUIT; kill -QUIT $PPID; ${waiting}`
    const attempts = Array.from({ length: 12 }, () => runExec(['sh', '-c', command], { home }))
    const exitCodes = (await Promise.all(attempts)).map(({ exitCode }) => exitCode)
    expect(exitCodes).toEqual(attempts.map(() => 42))
  })

  test('that the command ignores ends nothing', async () => {
    const { home } = await signedIn()
    const command = 'trap \'\' TERM; echo ready >&2; read -r line; echo "$line"'
    const running = startCli(['exec', '--', 'sh', '-c', command], { home })
    await running.says(/^ready\n/)
    running.kill('SIGTERM')
    running.stdin.end('still here\n')
    expect(await running.ended).toEqual({ exitCode: 0, stdout: 'still here\n', stderr: 'ready\n' })
  })

  test('that comes before the command keeps it from starting, and the new login is saved', async () => {
    const { home, issuer } = await signedIn(-60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const running = startCli(['exec', '--', 'echo', 'run'], { home })
    await held.arrived
    running.kill('SIGTERM')
    // Time enough to have noticed it.
    await runCli(['status'], { home })
    held.release()
    expect(await running.ended).toEqual(
      failedInWords({ exit_code: 143, message: 'Ended by SIGTERM.', next_step: 'run the command again' }),
    )
    const { exitCode } = await runCli(['refresh', '--quiet'], { home })
    expect({ exitCode, refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      exitCode: 0,
      refreshes: 2,
      spentTwice: 0,
    })
  })
})

/** What a program sees of the Responses API. */
const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'gpt-5',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'hello', annotations: [] }],
    },
  ],
}

describe('the official openai package', () => {
  const program = [process.execPath, join(import.meta.dirname, '../support/openai-client.mjs')]

  test('uses the token, at the address that is your own where ours is not known', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin(), { provider: 'oidc', method: 'oauth' })
    const server = await startBearerServer(issuer.accepts, () => RESPONSE)
    const env = { OPENAI_BASE_URL: `${server.origin}/v1` }
    expect(await runExec(program, { home, env })).toEqual({ exitCode: 0, stdout: 'hello\n', stderr: '' })
    expect({ served: server.served, refused: server.refused }).toEqual({
      served: ['/v1/responses'],
      refused: [],
    })
  })

  test('uses it where the command itself says so', async () => {
    const { home, issuer } = await signedIn(-60)
    const server = await startBearerServer(issuer.accepts, () => RESPONSE)
    const command = ['env', `OPENAI_BASE_URL=${server.origin}/v1`, ...program]
    expect(await runExec(command, { home })).toEqual({ exitCode: 0, stdout: 'hello\n', stderr: '' })
    expect({ served: server.served, refreshes: issuer.refreshes }).toEqual({
      served: ['/v1/responses'],
      refreshes: 1,
    })
  })
})
