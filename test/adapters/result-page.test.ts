import { createHash } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import type { SignInResult } from '../../src/core/ports.ts'
import { contentSecurityPolicy, renderFaultPage, renderResultPage } from '../../src/adapters/result-page.ts'
import type { RequestFault } from '../../src/adapters/result-page/strings.ts'
import { english } from '../../src/adapters/result-page/strings/english.ts'
import { style } from '../../src/adapters/result-page/style.ts'

const nobody = { email: undefined, id: undefined, userId: undefined, plan: undefined }

function signedIn(change: Partial<Extract<SignInResult, { kind: 'signed_in' }>> = {}): SignInResult {
  const account = { ...nobody, email: 'ada@example.org', id: 'account-1', plan: 'plus' }
  return { kind: 'signed_in', account, profile: 'default', issuer: 'https://auth.openai.com', ...change }
}

function failed(message: string, nextStep: string): SignInResult {
  return { kind: 'failed', message, nextStep }
}

/** What stands in the card, line by line. */
function card(html: string): string[] {
  const [, main = ''] = /<\/svg>\n([^]*)\n<p class="name">/.exec(html) ?? []
  return main.split('\n')
}

describe('the page of a sign-in that succeeded', () => {
  test('is this document', () => {
    const { status, html } = renderResultPage(signedIn())
    expect(status).toBe(200)
    expect(html.replace(style, '…').replace(/data:[^"]*/, 'data:…')).toBe(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>You are signed in – codex-auth</title>
<link rel="icon" href="data:…">
<style>…</style>
</head>
<body>
<main class="good">
<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7.5 12.4l3.1 3.1 6-6.6"/></svg>
<div role="status">
<h1>You are signed in</h1>
</div>
<dl>
<dt>Account</dt><dd><bdi>ada@example.org</bdi></dd>
<dt>Plan</dt><dd><bdi>plus</bdi></dd>
<dt>Profile</dt><dd><bdi>default</bdi></dd>
<dt>Provider</dt><dd><bdi>auth.openai.com</bdi></dd>
</dl>
<p class="close">You can close this tab.</p>
<p class="name">codex-auth</p>
</main>
</body>
</html>
`)
  })

  test.each([
    { account: { ...nobody, id: 'account-1', userId: 'user-1' }, shown: 'account-1' },
    { account: { ...nobody, userId: 'user-1' }, shown: 'user-1' },
  ])('names the account $shown when there is no address', ({ account, shown }) => {
    expect(card(renderResultPage(signedIn({ account })).html)).toContain(
      `<dt>Account</dt><dd><bdi>${shown}</bdi></dd>`,
    )
  })

  test('leaves out what is not known', () => {
    expect(card(renderResultPage(signedIn({ account: nobody })).html)).toEqual([
      '<div role="status">',
      '<h1>You are signed in</h1>',
      '</div>',
      '<dl>',
      '<dt>Profile</dt><dd><bdi>default</bdi></dd>',
      '<dt>Provider</dt><dd><bdi>auth.openai.com</bdi></dd>',
      '</dl>',
      '<p class="close">You can close this tab.</p>',
    ])
  })

  test.each([
    { issuer: 'http://127.0.0.1:9000/realms/x', shown: '127.0.0.1:9000' },
    { issuer: 'no address', shown: 'no address' },
  ])('shows $shown for the issuer $issuer', ({ issuer, shown }) => {
    expect(card(renderResultPage(signedIn({ issuer })).html)).toContain(
      `<dt>Provider</dt><dd><bdi>${shown}</bdi></dd>`,
    )
  })
})

describe('the page of a sign-in that failed', () => {
  test('says what happened and which command comes next', () => {
    const { status, html } = renderResultPage(
      failed('the provider said no', 'codex-auth login --device-code'),
    )
    expect(status).toBe(400)
    expect(html).toContain('<title>The sign-in did not finish – codex-auth</title>')
    expect(html).toContain('<main class="bad">')
    expect(card(html)).toEqual([
      '<div role="status">',
      '<h1>The sign-in did not finish</h1>',
      '<p>The provider said no.</p>',
      '</div>',
      '<section>',
      '<h2>What to do next</h2>',
      '<p><code><span>codex-auth</span> <span>login</span> <span>--device-code</span></code></p>',
      '</section>',
      '<p class="close">You can close this tab.</p>',
    ])
  })

  test.each([
    ['chmod 600 key', '<code><span>chmod</span> <span>600</span> <span>key</span></code>'],
    ['try again later', 'Try again later.'],
    [
      'run `df -h` and `ls`!',
      'Run <code><span>df</span> <span>-h</span></code> and <code><span>ls</span></code>!',
    ],
    ['mend it: codex-auth x', 'Mend it: <code><span>codex-auth</span> <span>x</span></code>'],
    [
      'use another with --profile <name>, or not: codex-auth x --force',
      'Use another with <code><span>--profile</span> <span>&lt;name&gt;</span></code>, or not: ' +
        '<code><span>codex-auth</span> <span>x</span> <span>--force</span></code>',
    ],
    ['npm install it', '<code><span>npm</span> <span>install</span> <span>it</span></code>'],
    ['say sign-in: it is well-known', 'Say sign-in: it is well-known.'],
    ['codex-auth <b>', '<code><span>codex-auth</span> <span>&lt;b&gt;</span></code>'],
    ['an odd ` stays', 'An odd ` stays.'],
  ])('shows the next step "%s" so that commands can be told from words', (nextStep, html) => {
    expect(card(renderResultPage(failed('it failed', nextStep)).html)[6]).toBe(`<p>${html}</p>`)
  })
})

describe('what comes from elsewhere', () => {
  const hostile = `<img src=x onerror="a('b')">&amp;`
  const escaped = '&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;amp;'

  test('is text on the page of success', () => {
    const account = { ...nobody, email: hostile, plan: hostile }
    expect(
      card(renderResultPage(signedIn({ account, profile: hostile, issuer: hostile })).html).slice(4, 8),
    ).toEqual([
      `<dt>Account</dt><dd><bdi>${escaped}</bdi></dd>`,
      `<dt>Plan</dt><dd><bdi>${escaped}</bdi></dd>`,
      `<dt>Profile</dt><dd><bdi>${escaped}</bdi></dd>`,
      `<dt>Provider</dt><dd><bdi>${escaped}</bdi></dd>`,
    ])
  })

  test('is text on the page of failure, in commands as well', () => {
    const lines = card(renderResultPage(failed(hostile, `a \`${hostile}\``)).html)
    const [tag, source, handler] = escaped.split(' ')
    expect([lines[2], lines[6]]).toEqual([
      `<p>${escaped}.</p>`,
      `<p>A <code><span>${tag}</span> <span>${source}</span> <span>${handler}</span></code>.</p>`,
    ])
  })
})

const statuses: [RequestFault, number][] = [
  ['wrong_state', 400],
  ['already_answered', 409],
  ['repeated_parameter', 400],
  ['not_found', 404],
  ['method_not_allowed', 405],
  ['wrong_host', 421],
  ['body', 413],
  ['address_too_long', 414],
  ['headers_too_large', 431],
  ['too_slow', 408],
  ['malformed', 400],
]
test.each(statuses)('the page for the fault %s is one line, with status %i', (fault, expected) => {
  const { status, html } = renderFaultPage(fault)
  expect(status).toBe(expected)
  expect(html).toContain('<main class="plain">')
  expect(card(html)).toEqual([
    '<div role="status">',
    '<h1>Nothing was changed</h1>',
    `<p>${english.faults[fault]}</p>`,
    '</div>',
  ])
})

describe('every page', () => {
  const pages = [
    renderResultPage(signedIn()),
    renderResultPage(failed('it failed', 'codex-auth login')),
    ...statuses.map(([fault]) => renderFaultPage(fault)),
  ].map(({ html }) => html)

  test('has the style sheet that the policy allows, and the policy allows nothing else but an icon', () => {
    const styles = pages.map((html) => /<style>([^]*)<\/style>/.exec(html)?.[1] ?? '')
    const [hash, ...others] = new Set(styles.map((css) => createHash('sha256').update(css).digest('base64')))
    expect(others).toEqual([])
    expect(contentSecurityPolicy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
  })

  test('loads nothing, runs nothing and links nowhere', () => {
    const tags = new Set(pages.flatMap((html) => [...html.matchAll(/<([a-z0-9]+)/g)].map(([, tag]) => tag)))
    expect(
      [...tags].filter((tag) => ['script', 'img', 'iframe', 'a', 'form', 'object'].includes(tag ?? '')),
    ).toEqual([])
    const addresses = pages.flatMap((html) => [...html.matchAll(/(?:src|href|url)[=(]"?([a-z]*:?)/g)])
    expect(new Set(addresses.map(([, scheme]) => scheme))).toEqual(new Set(['data:']))
  })
})

/** WCAG 2.2: the relative luminance of `#rrggbb`. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

test.each([
  ['light', 0],
  ['dark', 1],
])('text and symbols have the contrast of WCAG AA when the scheme is %s', (_, index) => {
  const rules = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, rule = '']) => rule)
  const colours = Object.fromEntries(
    [...(rules[index] ?? '').matchAll(/--([a-z-]+): (#\w{6})/g)].map((m) => [m[1], m[2]]),
  )
  const on = (front: string, back: string): number => contrast(colours[front] ?? '', colours[back] ?? '')
  const text = [on('text', 'card'), on('text', 'inset'), on('quiet', 'card'), on('quiet', 'inset')]
  const symbols = [on('good', 'good-back'), on('bad', 'bad-back'), on('quiet', 'inset')]
  expect(Math.min(...text, ...symbols)).toBeGreaterThanOrEqual(4.5)
})
