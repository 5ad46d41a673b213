import { expect, test } from 'vitest'
import { isInBackground, isInForeground } from '../../src/adapters/terminal-signal.ts'

// pid (comm) state ppid pgrp session tty_nr tpgid …: proc_pid_stat(5)
test.each([
  ['in front of its terminal', '42 (node) S 41 40 30 34816 40 4194304', true],
  ['with a name that looks like the rest', '42 (a) S 1 2 3 4 5 (b) S 41 40 30 34816 40 4194304', true],
  ['behind another group', '42 (node) S 41 40 30 34816 30 4194304', false],
  ['without a terminal', '42 (node) S 41 40 30 0 -1 4194304', false],
  ['without a terminal, in a group of another container', '42 (node) S 0 0 0 0 0 4194304', false],
])('a process %s', (_, stat, inFront) => {
  expect(isInForeground(stat)).toBe(inFront)
})

test.each([
  ['in front of its terminal', '42 (node) S 41 40 30 34816 40 4194304', false],
  ['behind another group', '42 (node) S 41 40 30 34816 30 4194304', true],
  ['without a terminal', '42 (node) S 41 40 30 0 -1 4194304', false],
])('a process %s may be behind another', (_, stat, behind) => {
  expect(isInBackground(stat)).toBe(behind)
})
