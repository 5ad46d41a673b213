import type { Strings } from './strings.ts'
import { english } from './strings/english.ts'
import { french } from './strings/french.ts'
import { german } from './strings/german.ts'
import { japanese } from './strings/japanese.ts'
import { simplifiedChinese } from './strings/simplified-chinese.ts'
import { spanish } from './strings/spanish.ts'

/** Every language the pages speak. */
export const languages: readonly Strings[] = [english, simplifiedChinese, japanese, german, french, spanish]

/** More than any person has chosen; what comes after is not looked at. */
const mostRanges = 50

/**
 * What the pages say to whoever sends this `Accept-Language` (RFC 9110, section 12.5.4): the first language of the
 * person's that there is, by the lookup of RFC 4647, section 3.4; English where there is none.
 */
export function stringsFor(acceptLanguage: string | undefined): Strings {
  const ranges = rangesOf(acceptLanguage ?? '')
  const inTraditional = isTraditionalChinese(ranges.find(([primary]) => primary === 'zh') ?? [])
  for (const range of ranges) {
    const [primary] = range
    // A browser set to zh-TW sends zh after it, and means the same script.
    const skipped = isTraditionalChinese(range) || (inTraditional && range.length === 1 && primary === 'zh')
    const found = skipped ? undefined : languages.find(({ language }) => language.split('-')[0] === primary)
    if (found !== undefined) return found
  }
  return english
}

/** The subtags of each range in lower case, those preferred first. What is malformed or unwanted is left out. */
function rangesOf(header: string): string[][] {
  return header
    .split(',', mostRanges)
    .map((text) => /^\s*([a-z]{1,8}(?:-[a-z\d]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(text))
    .map((match) => ({ range: match?.[1]?.toLowerCase() ?? '', quality: match ? Number(match[2] ?? 1) : 0 }))
    .filter(({ quality }) => quality > 0 && quality <= 1)
    .toSorted((one, other) => other.quality - one.quality)
    .map(({ range }) => range.split('-'))
}

/** Its script says so, or else its region. Simplified characters are not what is read there. */
function isTraditionalChinese([primary, ...subtags]: readonly string[]): boolean {
  if (primary !== 'zh' || subtags.includes('hans')) return false
  return subtags.some((subtag) => ['hant', 'tw', 'hk', 'mo'].includes(subtag))
}
