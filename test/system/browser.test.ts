import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fillIn, launchChromium, newPage } from '../support/chromium.ts'
import { addressOf, runCli, startCli, type Running } from '../support/cli.ts'
import { atProvider, newHome, newProvider, redirectUriOf } from '../support/e2e.ts'

const ARTIFACTS = process.env['CODEX_AUTH_ARTIFACTS'] ?? join(import.meta.dirname, '../../test-results')

let browser: Browser

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true })
  browser = await launchChromium()
})

afterAll(() => browser.close())

describe.for([
  ['with scripts', true],
  ['without scripts', false],
] as const)('a browser %s', ([, javaScriptEnabled]) => {
  test("signs in on the provider's own pages and ends on ours", async () => {
    const [home, provider] = [newHome(), await newProvider()]
    const running = startCli(atProvider(provider), { home })
    const address = await addressOf(running)
    const page = await newPage(browser, { javaScriptEnabled })
    const ours = requestsTo(page, new URL(redirectUriOf(address)).origin)
    await page.goto(address)
    await fillIn(page)
    const shown = performance.now()
    const { exitCode, stdout } = await running.ended
    expect({ exitCode, stdout, heading: await page.textContent('h1') }).toEqual({
      exitCode: 0,
      stdout: '',
      heading: 'You are signed in',
    })
    // The browser is still there, with its connections.
    expect(performance.now() - shown).toBeLessThan(1000)
    expect((await runCli(['token'], { home })).exitCode).toBe(0)
    expect(ours).toEqual(['/auth/callback', expect.stringMatching(/^\/auth\/result\/[\w-]{22}$/)])
  })
})

test('the address that stays in the browser holds no code and no state', async () => {
  const { page, address } = await signedIn()
  const { search, hash } = new URL(page.url())
  expect({ search, hash }).toEqual({ search: '', hash: '' })
  const state = new URL(address).searchParams.get('state') ?? ''
  const history = await page.evaluate(() => ({ href: location.href, referrer: document.referrer }))
  expect({ inAddress: history.href.includes(state), inReferrer: history.referrer.includes(state) }).toEqual({
    inAddress: false,
    inReferrer: false,
  })
})

test('the page asks nobody for anything, and runs no script', async () => {
  const { page } = await signedIn()
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  expect(loaded).toEqual([])
  expect(await page.locator('script').count()).toBe(0)
})

describe.for([
  ['success', 'You are signed in', () => signedIn()],
  ['failure', 'The sign-in did not finish', () => cancelled()],
] as const)('the page of %s', ([name, heading, arrive]) => {
  test('fits a screen and a phone, in light and in dark', async () => {
    const { page } = await arrive()
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.setViewportSize({ width, height: 844 })
        await page.screenshot({ path: join(ARTIFACTS, `${name}-${colorScheme}-${width}.png`) })
        expect(await layoutOf(page)).toEqual({ heading, overflows: false, isDark: colorScheme === 'dark' })
      }
    }
  })
})

describe.for([
  ['zh-CN', 'zh-Hans', '登录未完成'],
  ['zh-TW', 'en', 'The sign-in did not finish'],
  ['ja-JP', 'ja', 'サインインできませんでした'],
  ['de-AT', 'de', 'Die Anmeldung wurde nicht abgeschlossen'],
  ['fr-FR', 'fr', 'La connexion n’a pas abouti'],
  ['es-MX', 'es', 'El inicio de sesión no se completó'],
] as const)('a browser set to %s', ([locale, language, heading]) => {
  test('has its page in its language, which fits a narrow phone', async () => {
    const { page } = await cancelled({ locale })
    expect(await page.locator('html').getAttribute('lang')).toBe(language)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width: 320, height: 600 })
      await page.screenshot({ path: join(ARTIFACTS, `failure-${locale}-${colorScheme}-320.png`) })
      expect(await layoutOf(page)).toEqual({ heading, overflows: false, isDark: colorScheme === 'dark' })
    }
  })
})

test('text twice as large fits a narrow phone, in the language with the longest words', async () => {
  const { page } = await signedIn({ locale: 'fr-FR' })
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.setViewportSize({ width: 320, height: 844 })
  await page.evaluate(() => void (document.documentElement.style.fontSize = '200%'))
  await page.screenshot({ path: join(ARTIFACTS, 'success-large-320.png'), fullPage: true })
  expect(await layoutOf(page)).toEqual({ heading: 'Connexion réussie', overflows: false, isDark: false })
})

/** A finished sign-in, with its last page still open. */
async function signedIn(options?: BrowserContextOptions): Promise<{ page: Page; address: string }> {
  const { running, page, address } = await atSignIn(options)
  await page.goto(address)
  await fillIn(page)
  const { exitCode } = await running.ended
  expect(exitCode).toBe(0)
  return { page, address }
}

/** A sign-in that its person cancelled. */
async function cancelled(options?: BrowserContextOptions): Promise<{ page: Page }> {
  const { running, page, address } = await atSignIn(options)
  await page.goto(address)
  await page.getByRole('link', { name: 'Cancel' }).click()
  await page.waitForURL(/\/auth\/result\//)
  const { exitCode } = await running.ended
  expect(exitCode).toBe(8)
  return { page }
}

async function atSignIn(
  options?: BrowserContextOptions,
): Promise<{ running: Running; page: Page; address: string }> {
  const running = startCli(atProvider(await newProvider()), { home: newHome() })
  return { running, address: await addressOf(running), page: await newPage(browser, options) }
}

/** The paths that the browser asks of this origin, as they come. */
function requestsTo(page: Page, origin: string): string[] {
  const paths: string[] = []
  page.context().on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin === origin) paths.push(url.pathname)
  })
  return paths
}

async function layoutOf(
  page: Page,
): Promise<{ heading: string | null; overflows: boolean; isDark: boolean }> {
  const { overflows, background } = await page.evaluate(() => ({
    overflows: document.documentElement.scrollWidth > innerWidth,
    background: getComputedStyle(document.body).backgroundColor,
  }))
  const [red = 255] = background.match(/\d+/g)?.map(Number) ?? []
  return { heading: await page.textContent('h1'), overflows, isDark: red < 128 }
}
