/** What a pasted line turned out to be. */
export type Pasted =
  /** The redirect of this sign-in. */
  | { readonly kind: 'redirect'; readonly parameters: URLSearchParams }
  /** A redirect with another state: from an earlier attempt, or from somebody else. */
  | { readonly kind: 'other_attempt' }
  /** An authorization code without a state: whether it belongs to this sign-in, only the person knows. */
  | { readonly kind: 'bare_code'; readonly parameters: URLSearchParams }
  /** The address to sign in at, and not the one that came back. */
  | { readonly kind: 'authorization_address' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unreadable' }

/** What a terminal puts around a paste for a program that asked for it, as the one before us may have. */
const [PASTE_BEGINS, PASTE_ENDS] = ['\u001b[200~', '\u001b[201~']

/** Characters. A code and a state take a few hundred. */
const LIMIT = 8 * 1024

/**
 * Reads what a person brings from a browser whose redirect could not reach this machine: the whole redirect address, its
 * query, `code#state`, or the code alone. Nothing of it may be shown: it is as secret as the code in it.
 */
export function readPasted(line: string, state: string): Pasted {
  const text = line
    .replaceAll(PASTE_BEGINS, '')
    .replaceAll(PASTE_ENDS, '')
    .trim()
    .replace(/^["'<]+|["'>]+$/g, '')
  if (text === '') return { kind: 'nothing' }
  if (text.length > LIMIT || /\s/.test(text)) return { kind: 'unreadable' }
  if (/^https?:\/\//i.test(text)) return fromAddress(text, state)
  if (/(?:^\??|&)(?:code|error|state)=/.test(text))
    return fromParameters(new URLSearchParams(text.replace(/^\?/, '')), state)
  const [code, codeState, ...more] = text.split('#')
  if (code === undefined || more.length > 0 || !/^[\w.~+/=-]{4,}$/.test(code)) return { kind: 'unreadable' }
  const parameters = new URLSearchParams(codeState === undefined ? { code } : { code, state: codeState })
  return fromParameters(parameters, state)
}

function fromAddress(text: string, state: string): Pasted {
  if (!URL.canParse(text)) return { kind: 'unreadable' }
  const { searchParams, hash } = new URL(text)
  if (searchParams.has('code_challenge')) return { kind: 'authorization_address' }
  // Some pages hand the code over as the address's fragment.
  const isInFragment = !searchParams.has('code') && !searchParams.has('error') && hash.includes('=')
  return fromParameters(isInFragment ? new URLSearchParams(hash.slice(1)) : searchParams, state)
}

/** RFC 6749, section 3.1: no parameter more than once. */
function fromParameters(parameters: URLSearchParams, state: string): Pasted {
  const [codes, errors, states] = ['code', 'error', 'state'].map((name) => parameters.getAll(name))
  const answers = (codes?.length ?? 0) + (errors?.length ?? 0)
  if (answers !== 1 || (states?.length ?? 0) > 1) return { kind: 'unreadable' }
  const [given] = states ?? []
  if (given === undefined) return withoutState(parameters, state)
  return given === state ? { kind: 'redirect', parameters } : { kind: 'other_attempt' }
}

function withoutState(parameters: URLSearchParams, state: string): Pasted {
  const code = parameters.get('code')
  if (!code) return { kind: 'unreadable' }
  const completed = new URLSearchParams(parameters)
  completed.set('state', state)
  return { kind: 'bare_code', parameters: completed }
}
