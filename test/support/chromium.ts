import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { recordOutput } from './secrets.ts'

export const CHROMIUM = '/usr/bin/chromium'

/** Its sandbox does not start for root. What else it would ask the network for is left out. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-background-networking',
  '--no-first-run',
]

/** The system's Chromium, until `close`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS })
}

/** What a person does on the pages of the OpenID provider, up to the page that follows. */
export async function fillIn(page: Page): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill('alice')
  await page.getByPlaceholder('and password').fill('x')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.waitForURL(/\/auth\/result\//)
  recordOutput(`${page.url()}\n${await page.content()}`, 'the page after the sign-in')
}

/** A window of its own that reaches this machine and nothing else, until the test is over. */
export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options)
  onTestFinished(() => context.close())
  await context.route(
    (url) => !['localhost', '127.0.0.1'].includes(url.hostname),
    (route) => route.abort(),
  )
  return context.newPage()
}
