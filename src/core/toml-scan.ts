/** One thing that stands in a TOML document on lines of its own. Offsets are into the text. */
export interface Statement {
  readonly kind: 'pair' | 'table' | 'array of tables' | 'comment'
  /** From the root, for a pair through its table. Empty for a comment. */
  readonly path: readonly string[]
  /** It stands before the first table. */
  readonly isRoot: boolean
  /** Where its first line begins, and where its last one ends, with the line's own end. */
  readonly start: number
  readonly end: number
}

type Key = readonly string[]

/**
 * The statements of a document, in order, each with the lines it takes. Nothing is judged: the text must be known to be
 * valid TOML, without a byte order mark.
 */
export function scanToml(text: string): Statement[] {
  const statements: Statement[] = []
  let table: Key | undefined
  for (let start = 0; start < text.length;) {
    const first = afterBlanks(text, start)
    const found = scanLine(text, first, table ?? [])
    if (found.kind !== 'comment' && found.kind !== 'pair' && found.kind !== undefined) table = found.path
    const end = afterLine(text, found.end)
    if (found.kind !== undefined)
      statements.push({ kind: found.kind, path: found.path, isRoot: table === undefined, start, end })
    start = end
  }
  return statements
}

interface Found {
  /** `undefined`: a line with nothing on it. */
  readonly kind: Statement['kind'] | undefined
  readonly path: Key
  /** Somewhere before the end of its last line, behind anything that could hide it. */
  readonly end: number
}

function scanLine(text: string, at: number, table: Key): Found {
  const first = text[at]
  if (first === '#') return { kind: 'comment', path: [], end: at }
  if (first === undefined || first === '\n' || first === '\r') return { kind: undefined, path: [], end: at }
  if (first === '[') {
    const isArray = text[at + 1] === '['
    const { key, end } = scanKey(text, at + (isArray ? 2 : 1))
    return { kind: isArray ? 'array of tables' : 'table', path: key, end }
  }
  const { key, end } = scanKey(text, at)
  return { kind: 'pair', path: [...table, ...key], end: afterValue(text, end) }
}

/** A key with its dots; ends behind it, at `=` or `]`. */
function scanKey(text: string, from: number): { key: Key; end: number } {
  const key: string[] = []
  for (let at = from; ; at++) {
    at = afterBlanks(text, at)
    const end = afterPart(text, at)
    key.push(namedBy(text.slice(at, end)))
    at = afterBlanks(text, end)
    if (text[at] !== '.') return { key, end: at }
  }
}

function afterPart(text: string, at: number): number {
  if (text[at] === '"' || text[at] === "'") return afterString(text, at)
  let end = at
  while (/[\w-]/.test(text[end] ?? '')) end++
  return end
}

function namedBy(part: string): string {
  if (part.startsWith("'")) return part.slice(1, -1)
  return part.startsWith('"') ? part.slice(1, -1).replaceAll(ESCAPE, unescaped) : part
}

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/g
const ESCAPED: Record<string, string> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\u001b' }

function unescaped(_: string, x?: string, u?: string, long?: string, plain = ''): string {
  const code = x ?? u ?? long
  return code === undefined ? (ESCAPED[plain] ?? plain) : String.fromCodePoint(Number.parseInt(code, 16))
}

/** Ends at the end of the line on which the value ends, or at a comment there. */
function afterValue(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length;) {
    const char = text[at]
    if (char === '"' || char === "'") {
      at = afterString(text, at)
      continue
    }
    if (char === '#') {
      if (depth === 0) return at
      at = afterLine(text, at)
      continue
    }
    if (char === '\n' && depth === 0) return at
    if (char === '[' || char === '{') depth++
    if (char === ']' || char === '}') depth--
    at++
  }
  return text.length
}

function afterString(text: string, from: number): number {
  const quote = text.charAt(from)
  const fence = text.startsWith(quote.repeat(3), from) ? quote.repeat(3) : quote
  for (let at = from + fence.length; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++
    else if (text.startsWith(fence, at)) return fence.length === 1 ? at + 1 : afterQuotes(text, at, quote)
  }
  return text.length
}

/** Up to two quotes more than the three that end a string belong to what is in it. */
function afterQuotes(text: string, from: number, quote: string): number {
  let end = from + 3
  while (end < from + 5 && text[end] === quote) end++
  return end
}

function afterBlanks(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

function afterLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end + 1
}
