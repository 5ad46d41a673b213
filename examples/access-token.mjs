// Asks an API with the login of this machine:  node examples/access-token.mjs https://api.example.com/v1/things
import { accessToken, AuthError } from 'codex-auth'

const [address] = process.argv.slice(2)

try {
  // Renewed first where it lives shorter than ten minutes; most calls only look at a file.
  const { accessToken: token } = await accessToken({ minTtl: 600 })
  const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } })
  console.log(answer.status, await answer.text())
} catch (error) {
  if (!(error instanceof AuthError)) throw error
  // Branch on the code, never on the message.
  console.error(error.code === 'not_logged_in' ? 'First run: codex-auth login' : error.message)
  process.exitCode = 1
}
