import { AuthError } from '../errors.ts'

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** Seconds from `90`, `90s`, `30m`, `12h` or `7d`. @throws {AuthError} `usage` for anything else. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text)
  if (match === null) {
    throw new AuthError('usage', `${JSON.stringify(text.slice(0, 40))} is not a duration.`, {
      nextStep: 'write seconds, or a number with a unit: 90, 90s, 30m, 12h, 7d',
    })
  }
  return Number(match[1]) * UNITS[(match[2] || 's') as keyof typeof UNITS]
}

/** For people: the two largest units that matter, as in `2 h 5 min`, `40 s`, `9 d 3 h`. */
export function formatDuration(seconds: number): string {
  // A fresh hour should not be called 59 minutes.
  const whole = seconds < 600 ? Math.max(0, Math.floor(seconds)) : Math.round(seconds / 60) * 60
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor((whole % 86_400) / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'min'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 s'
  const shown = parts.slice(first, first + (first < 2 ? 2 : 1)).filter(([count]) => count > 0)
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
}
