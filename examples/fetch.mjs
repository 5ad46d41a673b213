// The same with a fetch that signs in by itself:  node examples/fetch.mjs https://api.example.com/v1/things
import { authenticatedFetch } from 'codex-auth'

const [address] = process.argv.slice(2)

// The token goes nowhere else. After a 401, a request is made once more, with a renewed token.
const api = authenticatedFetch({ origins: [new URL(address).origin] })

const answer = await api(address, { method: 'POST', body: JSON.stringify({ name: 'a thing' }) })
console.log(answer.status, await answer.text())
