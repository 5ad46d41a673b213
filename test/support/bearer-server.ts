import { onTestFinished } from 'vitest'
import { listenOnLoopback } from './loopback-server.ts'

export interface BearerServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** The paths that were asked for with a token that it takes. */
  readonly served: readonly string[]
  /** The paths that were asked for with any other, or with none. */
  readonly refused: readonly string[]
}

/** A stand-in for what tokens are for: it answers this to whoever has one that `accepts` takes, and 401 to all others. */
export async function startBearerServer(
  accepts: (token: string) => boolean,
  answer: (path: string) => object = () => ({}),
): Promise<BearerServer> {
  const [served, refused]: [string[], string[]] = [[], []]
  const server = await listenOnLoopback()
  onTestFinished(() => server.close())
  server.serve((request, response) => {
    const path = request.url ?? ''
    const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    const good = accepts(token)
    const known = good ? served : refused
    known.push(path)
    request.resume()
    response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(good ? answer(path) : { error: { message: 'who are you?' } }))
  })
  return { origin: server.origin, served, refused }
}
