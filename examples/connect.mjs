// A "Connect" button, as an editor or a desktop program has one, without the library and in any language: it runs the
// program, shows the address, polls, and disconnects.   node examples/connect.mjs [more words for `codex-auth login`]
import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const words = ['login', '--events', '--cancel-on-eof', '--no-browser', ...process.argv.slice(2)]

/** What `codex-auth` prints, whatever its exit code: that is in the report as well. */
function report(...args) {
  return new Promise((resolve, reject) => {
    execFile('codex-auth', [...args, '--json'], (error, stdout) =>
      stdout === '' ? reject(error) : resolve(JSON.parse(stdout)),
    )
  })
}

/** Another window of the same program sees the sign-in only so. */
async function poll() {
  for (;;) {
    const { login_in_progress: waiting, state, account } = await report('status')
    if (waiting === null) return state === 'valid' ? `connected as ${account.email}` : state
    await sleep(500)
  }
}

// Its standard input is a pipe that nobody writes to: when this program ends, however it ends, so does the sign-in.
const signIn = spawn('codex-auth', words, { stdio: ['pipe', 'pipe', 'ignore'] })

let polled
for await (const line of createInterface({ input: signIn.stdout })) {
  const { event, url, account, error } = JSON.parse(line)
  if (event === 'authorization_url') console.log(`Sign in at:\n${url}`)
  if (event === 'waiting') polled = poll()
  if (event === 'signed_in') console.log(`Signed in as ${account.email}.`)
  if (event === 'failed') {
    console.error(`${error.message} Next: ${error.next_step}`)
    process.exitCode = error.exit_code
  }
}

if (process.exitCode === undefined) {
  console.log(`Status: ${await polled}.`)
  const { revoked } = await report('logout')
  console.log(revoked ? 'Disconnected.' : 'Disconnected here; the provider did not confirm it.')
}
