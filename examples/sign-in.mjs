// Signs a person in, and out again:  node examples/sign-in.mjs [issuer]
import { login, logout, status } from 'codex-auth'

// The library leaves the process's signals alone: what they mean is decided here.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Interrupted.')))

const { account } = await login({
  issuer: process.argv[2],
  signal: stop.signal,
  openBrowser: false,
  onAddress: (url) => console.log(`Sign in at:\n${url}`),
})
console.log(`Signed in as ${account.email}.`)

const { state, expires_at: end } = await status()
console.log(`The token is ${state} until ${end}.`)

const { revoked } = await logout()
console.log(revoked ? 'Signed out.' : 'Signed out here; the provider did not confirm it.')
