import { numberIn, objectIn, textIn, type Fields } from './usage-field.ts'

/** One span of time in which use is counted. */
export interface UsageWindow {
  /** Seconds; what kind of window it is follows from this alone. `undefined`: not told. */
  readonly length: number | undefined
  /** 100 is all of it. `undefined`: not told. */
  readonly usedPercent: number | undefined
  /** Epoch seconds at which counting begins anew. `undefined`: not told. */
  readonly resetsAt: number | undefined
}

/** What may be used, in one or more windows. */
export interface UsageLimit {
  /** `undefined`: the plan's own limit. */
  readonly name: string | undefined
  /** `undefined`: not told. */
  readonly reached: boolean | undefined
  /** The shortest first. */
  readonly windows: readonly UsageWindow[]
}

/** Use beyond the plan, paid for in advance. */
export interface Credits {
  readonly available: boolean | undefined
  readonly unlimited: boolean | undefined
  /** As the provider writes it. */
  readonly balance: string | undefined
}

/** What a workspace lets one person spend. */
export interface SpendControl {
  readonly reached: boolean | undefined
  readonly usedPercent: number | undefined
  /** As the provider writes it. */
  readonly used: string | undefined
  readonly limit: string | undefined
  /** Epoch seconds. */
  readonly resetsAt: number | undefined
}

/** How much of a plan is used. Every text in it is one short line without control characters. */
export interface Usage {
  readonly plan: string | undefined
  /** Why nothing more may be used, in the provider's word. `undefined`: it says nothing of that. */
  readonly reachedType: string | undefined
  readonly limits: readonly UsageLimit[]
  readonly credits: Credits | undefined
  readonly spendControl: SpendControl | undefined
}

/**
 * Reads a usage answer, whatever is missing, new or oddly typed in it. `undefined`: it is no such answer.
 * @param now epoch seconds at which it came.
 */
export function parseUsage(value: unknown, now: number): Usage | undefined {
  const body = objectIn(value)
  if (body === undefined) return undefined
  const plan = textIn(body['plan_type'])
  if (plan === undefined && !('rate_limit' in body)) return undefined
  const limits = [
    limitIn(undefined, body['rate_limit'], now),
    limitIn('code review', body['code_review_rate_limit'], now),
    ...listIn(body['additional_rate_limits']).map((each) => additionalLimit(each, now)),
  ]
  return {
    plan,
    reachedType: reachedType(body['rate_limit_reached_type']),
    limits: limits.filter((limit) => limit !== undefined),
    credits: creditsIn(body['credits']),
    spendControl: spendControlIn(body['spend_control'], now),
  }
}

function additionalLimit(value: unknown, now: number): UsageLimit | undefined {
  const each = objectIn(value)
  const name = textIn(each?.['limit_name']) ?? textIn(each?.['metered_feature']) ?? 'another limit'
  return limitIn(name, each?.['rate_limit'], now)
}

/** The windows' own names, primary and secondary, say nothing of what they are. */
function limitIn(name: string | undefined, value: unknown, now: number): UsageLimit | undefined {
  const limit = objectIn(value)
  if (limit === undefined) return undefined
  const windows = Object.entries(limit)
    .filter(([key]) => key.endsWith('_window'))
    .map(([, window]) => windowIn(window, now))
    .filter((window) => window !== undefined)
    .toSorted((one, other) => (one.length ?? Infinity) - (other.length ?? Infinity) || 0)
  return { name, reached: isReached(limit), windows }
}

function isReached({ limit_reached: reached, allowed }: Fields): boolean | undefined {
  if (typeof reached === 'boolean') return reached
  return typeof allowed === 'boolean' ? !allowed : undefined
}

function windowIn(value: unknown, now: number): UsageWindow | undefined {
  const window = objectIn(value)
  if (window === undefined) return undefined
  return {
    length: numberIn(window['limit_window_seconds']),
    usedPercent: numberIn(window['used_percent']),
    resetsAt: resetIn(window, now),
  }
}

/** The time left does not depend on whose clock is right, so it goes first. */
function resetIn(window: Fields, now: number): number | undefined {
  const left = numberIn(window['reset_after_seconds'])
  return left === undefined ? numberIn(window['reset_at']) : Math.floor(now) + left
}

function creditsIn(value: unknown): Credits | undefined {
  const credits = objectIn(value)
  if (credits === undefined) return undefined
  const { has_credits: available, unlimited, balance } = credits
  return {
    available: typeof available === 'boolean' ? available : undefined,
    unlimited: typeof unlimited === 'boolean' ? unlimited : undefined,
    balance: textIn(balance),
  }
}

function spendControlIn(value: unknown, now: number): SpendControl | undefined {
  const control = objectIn(value)
  if (control === undefined) return undefined
  const { reached } = control
  const own = objectIn(control['individual_limit']) ?? {}
  return {
    reached: typeof reached === 'boolean' ? reached : undefined,
    usedPercent: numberIn(own['used_percent']),
    used: textIn(own['used']),
    limit: textIn(own['limit']),
    resetsAt: resetIn(own, now),
  }
}

function reachedType(value: unknown): string | undefined {
  return textIn(objectIn(value)?.['type'] ?? value)
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
