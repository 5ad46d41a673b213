import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Redirect, SignInResult } from '../../core/ports.ts'
import { renderResultPage, type Page } from '../result-page.ts'
import { stringsFor } from '../result-page/language.ts'
import type { Strings } from '../result-page/strings.ts'
import { hasState, repeatsParameter, requestFault, targetOf } from './request.ts'
import { sendFault, sendOn, sendPage } from './response.ts'

/** The redirect URI's path, the only one registered for Codex's client. */
export const callbackPath = '/auth/callback'

interface ExpectedRedirect {
  readonly state: string
  /** `undefined`: it has come. */
  readonly arrived: ((redirect: Redirect) => void) | undefined
}

interface ServedResult {
  readonly path: string
  readonly page: Page
  readonly delivered: () => void
}

/** What a listener answers: one redirect with the expected state, its result page, and faults to all else. */
export class Routes {
  readonly #pageTimeout: number
  #expected: ExpectedRedirect | undefined
  #result: ServedResult | undefined

  /** `pageTimeout`: how long the browser has to fetch the result, in ms. */
  constructor(pageTimeout: number) {
    this.#pageTimeout = pageTimeout
  }

  /** See `Listening.redirect`. */
  redirect(state: string, signal: AbortSignal): Promise<Redirect> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const abort = (): void => {
        this.#expected = undefined
        reject(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
      const arrived = (redirect: Redirect): void => {
        signal.removeEventListener('abort', abort)
        this.#expected = { state, arrived: undefined }
        resolve(redirect)
      }
      this.#expected = { state, arrived }
    })
  }

  /** Nobody waits for a page any more. */
  end(): void {
    this.#result?.delivered()
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const strings = stringsFor(request.headers['accept-language'])
    const fault = requestFault(request)
    if (fault !== undefined) return sendFault(response, fault, strings)
    const { path, query } = targetOf(request)
    const result = path === this.#result?.path ? this.#result : undefined
    if (path !== callbackPath && result === undefined) return sendFault(response, 'not_found', strings)
    if (request.method !== 'GET') return sendFault(response, 'method_not_allowed', strings)
    if (result === undefined) this.#callback(new URLSearchParams(query), response, strings)
    else this.#showResult(result, response)
  }

  #callback(parameters: URLSearchParams, response: ServerResponse, strings: Strings): void {
    const expected = this.#expected
    if (expected === undefined || !hasState(parameters, expected.state)) {
      return sendFault(response, 'wrong_state', strings)
    }
    if (expected.arrived === undefined) return sendFault(response, 'already_answered', strings)
    if (repeatsParameter(parameters)) return sendFault(response, 'repeated_parameter', strings)
    // The response stays open until the code is exchanged, so that the page can say how that went.
    expected.arrived({ parameters, answer: (result) => this.#answer(response, result, strings) })
  }

  async #answer(response: ServerResponse, result: SignInResult, strings: Strings): Promise<void> {
    // A browser that left before it is sent on never learns the path.
    if (response.headersSent || response.destroyed) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((delivered) => {
      const path = `/auth/result/${randomBytes(16).toString('base64url')}`
      this.#result = { path, page: renderResultPage(result, strings), delivered }
      timer = setTimeout(delivered, this.#pageTimeout)
      sendOn(response, path)
    })
    clearTimeout(timer)
  }

  #showResult({ page, delivered }: ServedResult, response: ServerResponse): void {
    response.once('finish', delivered)
    sendPage(response, page)
  }
}
