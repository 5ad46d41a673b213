// A server that hands out tokens on this machine, and loses none when it is told to end:  node examples/server.mjs
import { createServer } from 'node:http'
import { accessToken } from 'codex-auth'

const stop = new AbortController()

const server = createServer(async (_request, response) => {
  try {
    const { expiresAt } = await accessToken({ signal: stop.signal })
    response.end(`There is a token until ${new Date(expiresAt * 1000).toISOString()}.\n`)
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`)
  }
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', () => {
  // Ends the waiting. A renewal that is on its way is finished: until then its request, and so the process, stays.
  stop.abort(new Error('The server is ending.'))
  server.close()
})
