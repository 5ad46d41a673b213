import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { json, type Answer } from './fake-issuer-answer.ts'
import { authorize } from './fake-issuer-authorize.ts'
import { deliver } from './fake-issuer-delivery.ts'
import { DEVICE_TOKEN, devicePoll, USER_CODE, userCode } from './fake-issuer-device.ts'
import { me, revoke, token } from './fake-issuer-grants.ts'
import { countGrant, note, parseBody } from './fake-issuer-journal.ts'
import { answers, processes, type ScriptedAnswer } from './fake-issuer-script.ts'
import type { IssuerState, ReceivedRequest } from './fake-issuer-state.ts'

export const TOKEN = 'POST /oauth/token'
export const REVOKE = 'POST /oauth/revoke'

type Read = Pick<ReceivedRequest, 'path' | 'contentType' | 'parameters'>

export function serveIssuer(issuer: IssuerState): RequestListener {
  return (request, response) => {
    answer(issuer, request, response).catch((error: unknown) => {
      // That a client went away, or the issuer was closed, is no fault.
      if (issuer.stopped.aborted || response.destroyed || request.socket.destroyed) return
      issuer.faults.push(error)
      response.destroy()
    })
  }
}

async function answer(
  issuer: IssuerState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', issuer.origin)
  const route = `${request.method} ${url.pathname}`
  const script = nextScript(issuer, route)
  const read = await readRequest(request, url, script)
  note(issuer, request, read)
  if (route === TOKEN) countGrant(issuer.counters, read.parameters)
  if (route === REVOKE) issuer.counters.revocations += 1
  await script.beforeProcessing?.()
  const genuine = processes(script) ? respond(issuer, route, read, url, request) : undefined
  await pause(issuer, script.delay ?? (route === TOKEN ? issuer.behaviour.answerDelay : 0))
  await script.beforeAnswer?.()
  const headers = { date: new Date(issuer.now() * 1000).toUTCString(), ...script.headers }
  await deliver(response, { reply: script.reply, genuine, headers, stopped: issuer.stopped })
}

function nextScript({ scripts, behaviour }: IssuerState, route: string): ScriptedAnswer {
  const standing = route === TOKEN ? behaviour.standingAnswer : undefined
  return scripts.get(route)?.shift() ?? standing ?? answers.genuine
}

async function readRequest(request: IncomingMessage, url: URL, script: ScriptedAnswer): Promise<Read> {
  const path = url.pathname
  const contentType = request.headers['content-type']?.split(';', 1)[0]?.trim() ?? ''
  if (script.stage === 'unread') return { path, contentType, parameters: undefined }
  if (request.method === 'GET') return { path, contentType, parameters: Object.fromEntries(url.searchParams) }
  return { path, contentType, parameters: parseBody(contentType, await text(request)) }
}

function respond(issuer: IssuerState, route: string, read: Read, url: URL, request: IncomingMessage): Answer {
  switch (route) {
    case 'GET /oauth/authorize':
      return authorize(issuer, url.searchParams)
    case TOKEN:
      return token(issuer, read.contentType, read.parameters)
    case REVOKE:
      return revoke(issuer, read.contentType, read.parameters)
    case USER_CODE:
      return userCode(issuer, read.contentType, read.parameters)
    case DEVICE_TOKEN:
      return devicePoll(issuer, read.contentType, read.parameters)
    case 'GET /backend-api/me':
      return me(issuer, request.headers.authorization)
    default:
      return json(404, { error: 'not_found' })
  }
}

async function pause({ stopped }: IssuerState, milliseconds: number): Promise<void> {
  if (milliseconds > 0) await wait(milliseconds, undefined, { signal: stopped })
}
