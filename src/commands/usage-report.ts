import { formatDuration } from '../core/duration.ts'
import type { Credits, SpendControl, Usage, UsageLimit, UsageWindow } from '../core/usage.ts'
import { meter, type MeterStyle } from './meter.ts'
import type { UsageReport } from '../core/usage-report.ts'
import { timestamp } from './output.ts'

/** `usage` in `status --json`. @param at epoch seconds at which it was asked. */
export function usageJson(usage: Usage, at: number): UsageReport {
  return {
    plan: usage.plan ?? null,
    limit_reached: ownLimit(usage)?.reached ?? null,
    limit_reached_type: usage.reachedType ?? null,
    limits: usage.limits.map((limit) => ({
      name: limit.name ?? null,
      limit_reached: limit.reached ?? null,
      windows: limit.windows.map((window) => ({
        name: windowName(window) ?? null,
        window_seconds: window.length ?? null,
        ...countJson(window, at),
      })),
    })),
    credits: usage.credits ? creditsJson(usage.credits) : null,
    spend_control: usage.spendControl ? spendJson(usage.spendControl, at) : null,
  }
}

function countJson({ usedPercent, resetsAt }: Counted, at: number) {
  return {
    used_percent: usedPercent ?? null,
    resets_at: timestamp(resetsAt),
    resets_in: resetsAt === undefined ? null : Math.max(0, Math.floor(resetsAt - at)),
  }
}

function creditsJson({ available, unlimited, balance }: Credits) {
  return { has_credits: available ?? null, unlimited: unlimited ?? null, balance: balance ?? null }
}

function spendJson(control: SpendControl, at: number) {
  const { reached, limit, used } = control
  return { reached: reached ?? null, limit: limit ?? null, used: used ?? null, ...countJson(control, at) }
}

type Counted = Pick<UsageWindow, 'usedPercent' | 'resetsAt'>

/** The lines of the report, each with its label. A space as label continues the line before. */
export function usageLines(usage: Usage, at: number, style: MeterStyle): [string, string][] {
  const lines = usage.limits.flatMap((limit) => limitLines(limit, at, style))
  return [
    ...(usage.plan === undefined ? [] : [line('Plan', usage.plan)]),
    ...lines,
    ...reachedLines(usage),
    ...(usage.credits ? creditLines(usage.credits) : []),
    ...(usage.spendControl ? spendLines(usage.spendControl, at, style) : []),
  ]
}

function line(label: string, text: string): [string, string] {
  return [label, text]
}

function limitLines({ name, reached, windows }: UsageLimit, at: number, style: MeterStyle) {
  const head = name === undefined ? [] : [line('Limit for', `${name}${reached ? ' (reached)' : ''}`)]
  return [...head, ...windows.flatMap((window) => countLines(capital(windowName(window)), window, at, style))]
}

function countLines(label: string, { usedPercent, resetsAt }: Counted, at: number, style: MeterStyle) {
  const left = resetsAt === undefined ? undefined : resetsAt - at
  const resets =
    left === undefined ? undefined : left > 0 ? `resets in ${formatDuration(left)}` : 'resets now'
  const [first = '', ...more] = meter(usedPercent, resets, style)
  return [line(label, first), ...more.map((text) => line(' ', text))]
}

/** What a window is follows from its length; the provider's own names for it change. */
function windowName({ length }: UsageWindow): string | undefined {
  if (length === undefined) return undefined
  // Some servers are a second off.
  const minutes = Math.round(length / 60)
  if (minutes === 300) return '5 hours'
  return minutes === 10_080 ? 'week' : formatDuration(length)
}

function capital(name = 'window'): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

function ownLimit({ limits }: Usage): UsageLimit | undefined {
  return limits.find(({ name }) => name === undefined)
}

function reachedLines(usage: Usage) {
  const why = usage.reachedType?.replaceAll('_', ' ')
  if (why === undefined && !ownLimit(usage)?.reached) return []
  const isPlain = why === undefined || why === 'rate limit reached'
  return [line('Limit', isPlain ? 'reached' : `reached: ${why}`)]
}

function creditLines({ available, unlimited, balance }: Credits) {
  if (unlimited) return [line('Credits', 'unlimited')]
  if (available === false) return [line('Credits', 'none')]
  return balance === undefined ? [] : [line('Credits', `${balance} left`)]
}

function spendLines(control: SpendControl, at: number, style: MeterStyle) {
  const { reached, limit, used, usedPercent } = control
  const amount = limit === undefined ? [] : [line('Spending', `${used ?? 'an unknown part'} of ${limit}`)]
  const meters =
    usedPercent === undefined ? [] : countLines(amount.length > 0 ? ' ' : 'Spending', control, at, style)
  return [...amount, ...meters, ...(reached ? [line('Spending', 'limit reached')] : [])]
}
