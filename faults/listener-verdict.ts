import { readFileSync } from 'node:fs'
import { MARK } from './listener-requests.ts'
import type { Reply } from './listener-siege.ts'
import type { Detail } from './scenario.ts'
import { unless } from './verdict.ts'

export interface Answered {
  readonly kind: string
  readonly reply: Reply
}

/** What is wrong with the answer to a request that had to be refused. `state`: the awaited one. */
export function faultsOf({ kind, reply }: Answered, state: string): string[] {
  if (reply.end === 'not accepted') return ['nobody listened any more']
  return [
    ...unless(reply.end !== 'left open', 'it was neither answered nor closed'),
    ...faultsIn(reply.text, state),
  ].map((what) => `${kind}: ${what}`)
}

export function faultsIn(text: string, state: string): string[] {
  const statuses = new Set(statusesIn(text))
  const wrong = [...statuses].filter((status) => !/^4\d\d$/.test(status))
  const repeats = [MARK, encodeURIComponent(MARK), MARK.replace('<', '&lt;')].some((mark) =>
    text.includes(mark),
  )
  return [
    ...wrong.map((status) => `it was answered with ${status}`),
    ...unless(text === '' || statuses.size > 0, 'the answer is not HTTP'),
    ...unless(!text.includes(state), 'the answer has the state in it'),
    ...unless(!repeats, 'the answer repeats the request'),
  ]
}

/** Of every answer on a connection, in turn. */
function statusesIn(text: string): string[] {
  return [...text.matchAll(/HTTP\/\d\.\d (\d{3}) /g)].map(([, status = '']) => status)
}

/** What came of every kind. */
export function detailOf(all: readonly Answered[]): Detail {
  const kinds = [...new Set(all.map((one) => one.kind))].toSorted()
  return {
    title: 'Requests that a sign-in has to refuse while it waits',
    columns: ['request', 'sent', 'answers', 'closed without one'],
    lines: kinds.map((kind) => {
      const those = all.filter((one) => one.kind === kind)
      const silent = those.filter(({ reply }) => reply.text === '')
      return [kind, String(those.length), answersOf(those), String(silent.length)]
    }),
  }
}

function answersOf(all: readonly Answered[]): string {
  const statuses = all.flatMap(({ reply }) => statusesIn(reply.text))
  const counted = [...new Set(statuses)].toSorted()
  return counted.map((each) => `${each} (${statuses.filter((status) => status === each).length})`).join(', ')
}

/** The most memory that a process has had so far, in MB. `undefined`: it is gone, or this system does not tell. */
export function peakMemory(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
