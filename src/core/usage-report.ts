/** `usage` in `codex-auth status --json`: how much of the plan is used. What is not told is `null`. */
export interface UsageReport {
  readonly plan: string | null
  /** The plan's own limit is reached. */
  readonly limit_reached: boolean | null
  /** Why nothing more may be used, in the provider's word. */
  readonly limit_reached_type: string | null
  readonly limits: readonly UsageLimitReport[]
  /** Use beyond the plan, paid for in advance. */
  readonly credits: {
    readonly has_credits: boolean | null
    readonly unlimited: boolean | null
    /** As the provider writes it. */
    readonly balance: string | null
  } | null
  /** What a workspace lets one person spend. */
  readonly spend_control:
    | (UsageCount & {
        readonly reached: boolean | null
        readonly limit: string | null
        readonly used: string | null
      })
    | null
}

export interface UsageLimitReport {
  /** `null`: the plan's own. */
  readonly name: string | null
  readonly limit_reached: boolean | null
  /** The shortest first. */
  readonly windows: readonly (UsageCount & {
    /** After its length, as in `5 hours`. */
    readonly name: string | null
    readonly window_seconds: number | null
  })[]
}

export interface UsageCount {
  /** 100 is all of it. */
  readonly used_percent: number | null
  /** RFC 3339, in UTC. */
  readonly resets_at: string | null
  /** Seconds. */
  readonly resets_in: number | null
}
