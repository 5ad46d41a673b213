/** Where one member of a JSON object lies in its text. */
interface Member {
  readonly name: string
  readonly start: number
  readonly nameEnd: number
  readonly valueStart: number
  readonly valueEnd: number
}

/**
 * Sets one member of the JSON object that `text` holds, and leaves every other character as it is: unknown members,
 * order, spaces, the end of the file. A member that has this value already is not touched, one that is not there is added
 * behind the last one, in its manner.
 * @param text a JSON object, as `JSON.parse` takes it; all names of `path` but the last one lead to objects in it.
 */
export function withMember(text: string, path: readonly string[], value: unknown): string {
  const name = path.at(-1) ?? ''
  const object = objectAt(text, path.slice(0, -1))
  const members = membersOf(text, object)
  const same = members.filter((member) => member.name === name)
  if (same.length === 0) return added(text, object, members.at(-1), name, value)
  // A name that is there twice is set twice: what is replaced must not be left behind.
  return same.reduceRight((changed, member) => replaced(changed, member, value), text)
}

/** Whether the JSON object in `text` has this member at its top, whatever its value. */
export function hasMember(text: string, name: string): boolean {
  return memberNames(text).includes(name)
}

/** The names in the object to which `path` leads, each as often as it is there. @param path as for {@link withMember}. */
export function memberNames(text: string, path: readonly string[] = []): string[] {
  return membersOf(text, objectAt(text, path)).map(({ name }) => name)
}

function objectAt(text: string, path: readonly string[]): number {
  return path.reduce((start, name) => valueStart(text, start, name), text.indexOf('{'))
}

/** Of members with one name, the last one counts, as for `JSON.parse`. */
function valueStart(text: string, object: number, name: string): number {
  const member = membersOf(text, object).findLast((each) => each.name === name)
  if (member === undefined || text[member.valueStart] !== '{') throw new TypeError(`no object "${name}"`)
  return member.valueStart
}

function replaced(text: string, member: Member, value: unknown): string {
  const before = text.slice(member.valueStart, member.valueEnd)
  if (JSON.stringify(JSON.parse(before)) === JSON.stringify(value)) return text
  const after = written(value, indentation(text, member.start))
  return text.slice(0, member.valueStart) + after + text.slice(member.valueEnd)
}

function added(text: string, object: number, last: Member | undefined, name: string, value: unknown): string {
  if (last === undefined) {
    const only = `${JSON.stringify(name)}: ${written(value, '')}`
    return text.slice(0, object + 1) + only + text.slice(object + 1)
  }
  const gap = /[ \t\r\n]*$/.exec(text.slice(0, last.start))?.[0] ?? ''
  const colon = text.slice(last.nameEnd, last.valueStart)
  const more = `,${gap}${JSON.stringify(name)}${colon}${written(value, indentation(text, last.start))}`
  return text.slice(0, last.valueEnd) + more + text.slice(last.valueEnd)
}

function written(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`)
}

/** What stands before the first word of the line at which `at` lies. */
function indentation(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at) + 1, at)
  return /^[ \t]*/.exec(line)?.[0] ?? ''
}

/** A string, a mark, or a number or word. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g

/** The members of the object that begins at `start`, those of objects inside it left out. */
function membersOf(text: string, start: number): Member[] {
  const members: Member[] = []
  let [depth, end] = [0, start]
  let open: Partial<Member> = {}
  TOKEN.lastIndex = start
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [word] = match
    if (depth === 1 && (word === ',' || word === '}')) {
      if (isWhole(open)) members.push({ ...open, valueEnd: end })
      open = {}
    } else if (depth === 1 && word !== ':') open = continued(open, word, match.index)
    if (word === '{' || word === '[') depth++
    if (word === '}' || word === ']') depth--
    if (depth === 0) break
    end = match.index + word.length
  }
  return members
}

function continued(open: Partial<Member>, word: string, index: number): Partial<Member> {
  if (open.name === undefined)
    return { name: String(JSON.parse(word)), start: index, nameEnd: index + word.length }
  // Whatever else comes is the end of an array or object that began the value.
  return open.valueStart === undefined ? { ...open, valueStart: index } : open
}

function isWhole(open: Partial<Member>): open is Omit<Member, 'valueEnd'> {
  return open.valueStart !== undefined
}
