import { describe, expect, test } from 'vitest'
import { renderFaultPage, renderResultPage } from '../../../src/adapters/result-page.ts'
import { languages, stringsFor } from '../../../src/adapters/result-page/language.ts'
import type { Strings } from '../../../src/adapters/result-page/strings.ts'
import { english } from '../../../src/adapters/result-page/strings/english.ts'

describe('the language of the pages', () => {
  test.each([
    ['en', 'en'],
    ['zh', 'zh-Hans'],
    ['ja', 'ja'],
    ['de', 'de'],
    ['fr', 'fr'],
    ['es', 'es'],
    ['de-CH-1996', 'de'],
    ['es-419', 'es'],
    ['FR-ca', 'fr'],
  ])('is found for %s', (header, language) => {
    expect(stringsFor(header).language).toBe(language)
  })

  test.each([
    ['fr;q=0.4, ja;q=0.9, de', 'de'],
    ['fr;q=0.4, ja;q=0.9', 'ja'],
    ['fr;q=0.8,es;q=0.8', 'fr'],
    ['pt-BR,pt;q=0.9,es;q=0.8,en;q=0.7', 'es'],
    ['en-GB,en;q=0.9,de;q=0.8', 'en'],
    ['de;q=0, fr;q=0.001', 'fr'],
    ['*;q=1, es;q=0.1', 'es'],
    ['\tja ;\tq=1.000 , en', 'ja'],
  ])('is the one preferred among those there are: %j', (header, language) => {
    expect(stringsFor(header).language).toBe(language)
  })

  test.each([
    ['zh-CN,zh;q=0.9', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-Hans-HK', 'zh-Hans'],
    ['zh,zh-TW;q=0.5', 'zh-Hans'],
    ['zh-TW,zh-CN;q=0.9,zh;q=0.8', 'zh-Hans'],
    ['zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7', 'en'],
    ['zh-HK,zh;q=0.9,ja;q=0.8', 'ja'],
    ['zh-Hant', 'en'],
    ['zh-Hant-CN', 'en'],
    ['zh-MO', 'en'],
  ])('is Simplified Chinese for those who read it: %j', (header, language) => {
    expect(stringsFor(header).language).toBe(language)
  })

  test.each([
    undefined,
    '',
    '*',
    'pt',
    'german',
    'de;q=0',
    'de;q=2',
    'de;q=1.5',
    'de;q=high',
    'de;level=1',
    'de_DE',
    '日本語',
    ',;,=;q',
    `${'x,'.repeat(50)}de`,
    ' '.repeat(16_000),
    `${'a-'.repeat(8_000)};`,
  ])('is English where none is found, however odd the header is', (header) => {
    expect(stringsFor(header).language).toBe('en')
  })
})

/** Every string of a language, by its name. */
function flat({ faults, reasons: _reasons, ...rest }: Strings): Record<string, string> {
  const named = Object.entries(faults).map(([name, text]) => [`faults.${name}`, text])
  return { ...rest, ...Object.fromEntries(named) }
}

const inEnglish = flat(english)

/** The names of the texts that end like this. */
function ending(texts: Record<string, string>, end: string): string[] {
  return Object.keys(texts).filter((name) => texts[name]?.endsWith(end))
}

/** How sentences end, and the signs that a text in this language would have by mistake. */
function signsOf(language: string): { fullStop: string; wrong: RegExp } {
  if (language === 'ja' || language === 'zh-Hans') return { fullStop: '。', wrong: /[,.;:!?()]/g }
  if (language === 'fr') return { fullStop: '.', wrong: /[^\u202f][;:!?»]|«(?!\u202f)/g }
  return { fullStop: '.', wrong: /[\u202f；，。]|\s[;:!?]/g }
}

describe.each(languages.filter((each) => each !== english))('in $language', (strings) => {
  const { language } = strings
  const here = flat(strings)

  test('every string is there, and none is left in English', () => {
    expect(Object.keys(here).toSorted()).toEqual(Object.keys(inEnglish).toSorted())
    const left = Object.keys(here).filter((name) => !here[name]?.trim() || here[name] === inEnglish[name])
    // A plan is a plan in Spanish too.
    expect(left).toEqual(language === 'es' ? ['plan'] : [])
  })

  test('every reason for a failure is told before the English words for it', () => {
    const reasons = ['denied', 'wrong_account', 'provider', 'store'] as const
    for (const reason of reasons) {
      const { html } = renderResultPage(
        { kind: 'failed', reason, message: 'it failed', nextStep: '' },
        strings,
      )
      expect(html).toContain(
        `<h1>${strings.failed}</h1>\n<p>${strings.reasons?.[reason]}</p>\n<p class="detail" lang="en">It failed.</p>\n`,
      )
    }
    const texts = reasons.map((reason) => strings.reasons?.[reason] ?? '')
    expect(texts.filter((text) => !text.endsWith(signsOf(language).fullStop))).toEqual([])
    expect(new Set(texts).size).toBe(reasons.length)
  })

  test('sentences end as sentences do, and labels do not', () => {
    expect(ending(here, signsOf(language).fullStop)).toEqual(ending(inEnglish, '.'))
  })

  test('nothing leads to a terminal, which a sign-in that another program drives has not', () => {
    expect(Object.values(here).join('\n')).not.toMatch(/terminal|ターミナル|终端/i)
  })

  test('the signs are those of the language', () => {
    const text = Object.values(here).join('\n')
    expect(text.match(/['"<>&]|\.\.\.| {2}/g)).toBeNull()
    expect(text.match(signsOf(language).wrong)).toBeNull()
  })
})

describe.each(languages)('the page in $language', (strings) => {
  test('says its language, and which of its parts are English', () => {
    const result = { kind: 'failed', message: 'it failed', nextStep: 'try again' } as const
    const { html, language } = renderResultPage(result, strings)
    const marked = language === 'en' ? '' : ' lang="en"'
    expect(language).toBe(strings.language)
    expect(html).toContain(`<html lang="${language}">\n`)
    expect(html).toContain(`<h1>${strings.failed}</h1>\n<p${marked}>It failed.</p>\n`)
    expect(html).toContain(`<h2>${strings.nextStep}</h2>\n<p${marked}>Try again.</p>\n`)
    expect(html).toContain(`<p class="close">${strings.closeTab}</p>\n`)
    expect(html).toContain(`<title>${strings.failed} – codex-auth</title>`)
  })

  test('marks nothing as English after success, nor for a fault', () => {
    const account = { email: 'ada@example.org', id: undefined, userId: undefined, plan: 'plus' }
    const issuer = 'https://auth.openai.com'
    const { html } = renderResultPage({ kind: 'signed_in', account, profile: 'work', issuer }, strings)
    const { signedIn, account: holder, plan, profile, provider } = strings
    const labels = [...html.matchAll(/<(?:h1|dt)>(.*?)<\//g)].map(([, label]) => label)
    expect(labels).toEqual([signedIn, holder, plan, profile, provider])
    const fault = renderFaultPage('not_found', strings).html
    expect(fault).toContain(`<h1>${strings.notUsed}</h1>\n<p>${strings.faults.not_found}</p>`)
    const marks = [html, fault].flatMap((page) => [...page.matchAll(/lang="([^"]*)"/g)])
    expect(marks.map(([, tag]) => tag)).toEqual([strings.language, strings.language])
  })
})
