import { CookieJar } from './cookie-jar.ts'

export { CookieJar } from './cookie-jar.ts'

export interface SignInOptions {
  /** Who signs in, where the page asks. */
  readonly login?: string
  /** Of the browser that is used; a new one unless told. */
  readonly cookies?: CookieJar
}

/** The last page, after all redirects and forms. */
export interface Page {
  readonly status: number
  readonly url: string
  readonly text: string
  readonly headers: Headers
}

interface Step {
  readonly url: URL
  readonly form?: URLSearchParams
}

/** A sign-in takes about ten; a browser gives up at twenty redirects. */
const MOST_STEPS = 30

/**
 * Plays the person with a browser: follows every redirect, types a login into the pages that ask for one, says yes to
 * the rest, and ends on the first page that asks for nothing. `address` is an authorization request, or the page to
 * which a device code leads.
 */
export function signIn(address: string, { login = 'alice', cookies }: SignInOptions = {}): Promise<Page> {
  return browse(address, cookies, (page) => filledIn(page, login))
}

/** Plays the person who goes on as far as the first page that has `Cancel`, and presses that. */
export function denySignIn(address: string, { login = 'alice', cookies }: SignInOptions = {}): Promise<Page> {
  let pressed = false
  return browse(address, cookies, (page) => {
    if (pressed) return undefined
    const step = cancelled(page)
    pressed = step !== undefined
    return step ?? filledIn(page, login)
  })
}

async function browse(
  address: string,
  cookies = new CookieJar(),
  next: (page: Page) => Step | undefined,
): Promise<Page> {
  let step: Step | undefined = { url: new URL(address) }
  let page: Page | undefined
  for (let steps = 0; step !== undefined; steps++) {
    if (steps === MOST_STEPS) throw new Error('the sign-in does not come to an end')
    page = await visit(step, cookies)
    step = redirected(page) ?? next(page)
  }
  if (page === undefined) throw new Error('no page was visited')
  return page
}

async function visit({ url, form }: Step, cookies: CookieJar): Promise<Page> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: cookies.header(url) },
    ...(form && { method: 'POST', body: form }),
  })
  cookies.take(url, response.headers)
  const { status, headers } = response
  return { status, url: url.href, text: await response.text(), headers }
}

/** 302 after a form is followed with GET, as every browser does. */
function redirected({ status, url, headers }: Page): Step | undefined {
  const location = headers.get('location')
  return status >= 300 && status < 400 && location !== null ? { url: new URL(location, url) } : undefined
}

function filledIn({ text, url }: Page, login: string): Step | undefined {
  const [, attributes = '', content = ''] = /<form\b([^>]*)>(.*?)<\/form>/s.exec(text) ?? []
  const { action, method = '' } = attributesOf(attributes)
  if (action === undefined || method.toLowerCase() !== 'post') return undefined
  const form = new URLSearchParams()
  for (const [, input = ''] of content.matchAll(/<input\b([^>]*)>/g)) {
    const { name, type, value = '' } = attributesOf(input)
    if (name !== undefined) form.set(name, type === 'hidden' || value !== '' ? value : login)
  }
  return { url: new URL(action, url), form }
}

function cancelled({ text, url }: Page): Step | undefined {
  const link = /<a\b([^>]*)>\s*\[?\s*Cancel\b/.exec(text)?.[1] ?? ''
  const { href } = attributesOf(link)
  return href === undefined ? undefined : { url: new URL(href, url) }
}

function attributesOf(tag: string): Partial<Record<string, string>> {
  return Object.fromEntries(
    [...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)]),
  )
}

function unescaped(value: string): string {
  const characters = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return value.replace(
    /&(\w+|#39);/g,
    (whole, name: string) => new Map(Object.entries(characters)).get(name) ?? whole,
  )
}
