// The official SDK with the login of this machine:  node examples/openai.mjs [base URL]
import { accessToken, authenticatedFetch } from 'codex-auth'
import OpenAI from 'openai'

const baseURL = process.argv[2] ?? (await accessToken()).baseUrl

const client = new OpenAI({
  baseURL,
  // The SDK insists on a key; the fetch puts the token in its place.
  apiKey: 'unused',
  fetch: authenticatedFetch({ origins: [new URL(baseURL).origin] }),
})

for await (const { id } of client.models.list()) console.log(id)
