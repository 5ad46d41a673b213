import { expect, test } from 'vitest'
import { statusLine } from '../../src/commands/status-line.ts'

/** A terminal of so many columns, and what was written to it. */
function terminal(columns: number) {
  const written: string[] = []
  return {
    columns,
    env: {},
    isTerminal: true,
    isInBackground: () => false,
    stderr: (text: string) => void written.push(text),
    written,
  }
}

test('a line is written again only when it says something new', () => {
  const screen = terminal(80)
  const line = statusLine(screen, {})
  for (const left of ['15 min', '15 min', '14 min', '14 min']) line.show(left)
  line.clear()
  line.clear()
  expect(screen.written).toEqual(['\r\u001b[K15 min', '\r\u001b[K14 min', '\r\u001b[K'])
})

test('a line is as long as the terminal is wide at that moment', () => {
  const screen = terminal(12)
  const line = statusLine(screen, {})
  line.show('Waiting; the code')
  screen.columns = 8
  line.show('Waiting; the code')
  expect(screen.written).toEqual(['\r\u001b[KWaiting; th', '\r\u001b[KWaiting'])
})

test('a line is not written over what is typed at another job, and is there again after fg', () => {
  const screen = terminal(80)
  const line = statusLine(screen, {})
  line.show('15 min')
  screen.isInBackground = () => true
  for (const left of ['15 min', '14 min']) line.show(left)
  screen.isInBackground = () => false
  line.show('14 min')
  screen.isInBackground = () => true
  line.clear()
  expect(screen.written).toEqual(['\r\u001b[K15 min', '\r\u001b[K14 min'])
})

test.for([
  [34, 'Waiting; the code ends in 15 min'],
  [33, 'Waiting; the code ends in 15 min'],
  [32, '15 min left'],
  [12, '15 min left'],
  [8, 'Waiting'],
] as const)('on %i columns, a line says %s', ([columns, said]) => {
  const screen = terminal(columns)
  statusLine(screen, {}).show('Waiting; the code ends in 15 min', '15 min left')
  expect(screen.written).toEqual([`\r\u001b[K${said}`])
})
