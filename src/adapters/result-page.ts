import { createHash } from 'node:crypto'

import type { SignInResult } from '../core/ports.ts'
import type { RequestFault, Strings } from './result-page/strings.ts'
import { english } from './result-page/strings/english.ts'
import { style } from './result-page/style.ts'

/** A whole HTML document, and the HTTP status that says the same. It loads nothing and runs no script. */
export interface Page {
  readonly status: number
  readonly html: string
  /** A BCP 47 language tag. */
  readonly language: string
}

/** The policy to serve a {@link Page} with: its own style sheet, its own icon, and nothing else. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const faultStatus: Readonly<Record<RequestFault, number>> = {
  wrong_state: 400,
  already_answered: 409,
  repeated_parameter: 400,
  not_found: 404,
  method_not_allowed: 405,
  wrong_host: 421,
  body: 413,
  address_too_long: 414,
  headers_too_large: 431,
  too_slow: 408,
  malformed: 400,
}

/** A path in a box of 24 by 24, and the colour it has as a tab's icon, on light and on dark. */
const symbols = {
  good: { path: 'M7.5 12.4l3.1 3.1 6-6.6', colour: '#1f9d55' },
  bad: { path: 'M12 7v6M12 16.6v.01', colour: '#d9483b' },
  plain: { path: 'M12 7.4v.01M12 11v6', colour: '#7b8594' },
} as const

/** What differs between pages. All but `heading` is HTML. */
interface Content {
  readonly tone: keyof typeof symbols
  readonly heading: string
  readonly text?: Text
  readonly rest: string
}

/** HTML, and its language where it is not the page's. */
interface Text {
  readonly html: string
  readonly language?: string
  /** What is said below it, in small. */
  readonly detail?: Text
}

/**
 * The page that ends a sign-in in the browser: 200 when it succeeded, 400 when it did not. What the program itself says
 * there is English, and marked as such.
 */
export function renderResultPage(result: SignInResult, strings: Strings = english): Page {
  const close = `<p class="close">${strings.closeTab}</p>`
  if (result.kind === 'signed_in') {
    const rest = `${details(result, strings)}\n${close}`
    return page(200, { tone: 'good', heading: strings.signedIn, rest }, strings)
  }
  const said = inEnglish(escape(sentence(result.message)))
  const reason = result.reason && strings.reasons?.[result.reason]
  const instructed = paragraph(inEnglish(instruction(result.nextStep)), strings)
  const next = `<section>\n<h2>${strings.nextStep}</h2>\n${instructed}\n</section>`
  const content = { tone: 'bad', heading: strings.failed, rest: `${next}\n${close}` } as const
  return page(400, { ...content, text: reason ? { html: reason, detail: said } : said }, strings)
}

/** The page for a request that is not the awaited redirect; its status is a 4xx. */
export function renderFaultPage(fault: RequestFault, strings: Strings = english): Page {
  const text = { html: strings.faults[fault] }
  return page(faultStatus[fault], { tone: 'plain', heading: strings.notUsed, text, rest: '' }, strings)
}

function page(status: number, content: Content, strings: Strings): Page {
  return { status, html: render(content, strings), language: strings.language }
}

function inEnglish(html: string): Text {
  return { html, language: english.language }
}

function paragraph(text: Text, strings: Strings): string {
  const { html, detail } = text
  const below = detail ? `\n<p class="detail"${languageOf(detail, strings)}>${detail.html}</p>` : ''
  return `<p${languageOf(text, strings)}>${html}</p>${below}`
}

function languageOf({ language }: Text, strings: Strings): string {
  return language === undefined || language === strings.language ? '' : ` lang="${language}"`
}

function details(result: Extract<SignInResult, { kind: 'signed_in' }>, strings: Strings): string {
  const { email, id, userId, plan } = result.account
  const rows = [
    [strings.account, email ?? id ?? userId],
    [strings.plan, plan],
    [strings.profile, result.profile],
    [strings.provider, hostOf(result.issuer)],
  ] as const
  const shown = rows.filter(([, value]) => value !== undefined && value !== '')
  const html = shown.map(([name, value = '']) => `<dt>${name}</dt><dd><bdi>${escape(value)}</bdi></dd>`)
  return `<dl>\n${html.join('\n')}\n</dl>`
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer
}

/** Errors are written as they follow a program's name in a terminal; here they stand alone. */
function sentence(text: string): string {
  const end = text === '' || /[.!?:]\s*$/.test(text) ? '' : '.'
  return text.charAt(0).toUpperCase() + text.slice(1) + end
}

const programs = 'codex-auth|sudo|chmod|chown|ls|df|mv|kill|npm'
/** A next step that is a command as a whole, or prose that ends in one, which then has no full stop after it. */
const lastCommand = new RegExp(`(?:^|(?<=: ))(?:${programs}) [^\`]*$`)
/** What stands between backticks in the prose, and flags, with the values that they ask for. */
const commandWithin = /`([^`]+)`|(?<![\w-])(--[a-z][\w-]*(?: &lt;[\w-]+&gt;)?)/g

function instruction(nextStep: string): string {
  const last = lastCommand.exec(nextStep)?.[0] ?? ''
  const prose = escape(sentence(nextStep.slice(0, nextStep.length - last.length)))
  const marked = prose.replaceAll(commandWithin, (_, quoted: string, flag: string) => command(quoted ?? flag))
  return marked + (last && command(escape(last)))
}

/** Each word on its own, because browsers break lines within `--flag`. */
function command(html: string): string {
  return `<code>${html.replaceAll(/\S+/g, '<span>$&</span>')}</code>`
}

function render({ tone, heading, text, rest }: Content, strings: Strings): string {
  return `<!doctype html>
<html lang="${strings.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading} – codex-auth</title>
<link rel="icon" href="${icon(tone)}">
<style>${style}</style>
</head>
<body>
<main class="${tone}">
<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${symbols[tone].path}"/></svg>
<div role="status">
<h1>${heading}</h1>${text === undefined ? '' : `\n${paragraph(text, strings)}`}
</div>
${rest === '' ? '' : `${rest}\n`}<p class="name">codex-auth</p>
</main>
</body>
</html>
`
}

/** Inline, because a browser would otherwise ask for `/favicon.ico`. */
function icon(tone: keyof typeof symbols): string {
  const { path, colour } = symbols[tone]
  const stroke = 'fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"'
  const shapes = `<circle cx="12" cy="12" r="12" fill="${colour}"/><path ${stroke} d="${path}"/>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${shapes}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
