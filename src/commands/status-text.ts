import { formatDuration } from '../core/duration.ts'
import { exitName } from '../core/exit-code.ts'
import { holderWithPlan } from '../core/holder.ts'
import { EXPIRING, remaining } from '../core/lifetime.ts'
import type { Status } from '../core/status.ts'
import type { Context } from './context.ts'
import { LABEL, meterStyle, type MeterStyle } from './meter.ts'
import { timestamp, wrapLine } from './output.ts'
import { tinted, type Tint } from './tint.ts'
import { usageLines } from './usage-report.ts'

/** A label, what it says, and how that is to be taken. */
type Line = readonly [label: string, text: string, tint?: Tint]

/** The report for people, one profile. */
export function statusText(status: Status, context: Context): string {
  const lines: Line[] = [
    ...tokenLines(status),
    ...verifiedLines(status),
    ...providerLines(status),
    ...storeLines(status),
    ...useLines(status, meterStyle(context)),
    ...problemLines(status),
  ]
  const head = tinted('strong', headline(status), context.stdoutHasColours)
  return [head, ...lines.map((line) => shown(line, context))].join('\n') + '\n'
}

/** What is too long for a terminal goes on below its own beginning. */
function shown([label, text, tint]: Line, { stdoutIsTerminal, stdoutHasColours, columns }: Context): string {
  const indented = `${' '.repeat(LABEL)}${text}`
  const lines = (stdoutIsTerminal ? wrapLine(indented, columns) : indented).slice(LABEL)
  return `  ${label.padEnd(LABEL - 2)}${tint === undefined ? lines : tinted(tint, lines, stdoutHasColours)}`
}

function headline({ profile, state, credential, source }: Status): string {
  const where = source === 'environment' ? 'CODEX_AUTH_TOKEN (it wins over the store)' : profile
  if (state === 'none') return `${where}: not signed in`
  if (credential === undefined) return `${where}: stored, but it cannot be read`
  return `${where}: ${holderWithPlan(credential)}`
}

function tokenLines(status: Status): Line[] {
  const { credential } = status
  if (credential === undefined) return []
  const label = credential.method === 'api_key' ? 'API key' : 'Access token'
  const lines: Line[] = [[label, lifeText(status), lifeTint(status)]]
  if (credential.mintedApiKey !== undefined)
    lines.push(['API key', 'stored, too: codex-auth token --kind api-key'])
  if (credential.clockSkew !== 0) lines.push(['Clock', skewText(credential.clockSkew)])
  return lines
}

function lifeTint({ problem, credential, at }: Status): Tint {
  if (problem !== undefined) return exitName(problem.code) === 'short_lived' ? 'caution' : 'bad'
  const left = credential && remaining(credential, at)
  return left !== undefined && left < EXPIRING ? 'caution' : 'good'
}

function lifeText({ credential, at, state }: Status): string {
  const left = credential && remaining(credential, at)
  if (left === undefined)
    return credential?.method === 'api_key' ? 'never expires by itself' : 'usable; nobody said until when'
  const renewal = state === 'dead' || credential?.refreshToken === undefined ? '' : ', renews by itself'
  if (left <= 0) return `expired ${formatDuration(-left)} ago${renewal}`
  return `lives ${formatDuration(left)} more (until ${timestamp(credential?.expiresAt)})${renewal}`
}

const VERIFIED: Record<'valid' | 'refused' | 'unknown', readonly [text: string, tint: Tint]> = {
  valid: ['yes, just now', 'good'],
  refused: ['no, it is refused', 'bad'],
  unknown: ['not known', 'caution'],
}

function verifiedLines({ verification }: Status): Line[] {
  return verification === undefined ? [] : [['Accepted', ...VERIFIED[verification]]]
}

function useLines({ usage, at }: Status, style: MeterStyle): Line[] {
  if (usage === undefined) return []
  return usage === 'not_told' ? [['Usage', 'not told for this kind of login']] : usageLines(usage, at, style)
}

function skewText(skew: number): string {
  return `this machine's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'behind' : 'ahead of'} the provider's`
}

function providerLines({ credential }: Status): Line[] {
  if (credential === undefined) return []
  return [
    ['Provider', `${credential.issuer} (${credential.provider})`],
    ['Scopes', credential.scopes.join(' ') || 'none'],
  ]
}

function storeLines({ store, state, signIn }: Status): Line[] {
  const lines: Line[] = []
  if (store !== undefined && state !== 'none')
    lines.push(['Stored in', `${store.path} (sealed, key: ${store.keySource})`])
  if (signIn !== undefined)
    lines.push(['Signing in', `a sign-in is waiting (pid ${signIn.pid}, ${signIn.method})`])
  return lines
}

function problemLines(status: Status): Line[] {
  const { problem, nextStep } = status
  if (problem === undefined || nextStep === undefined) return []
  return [
    ['Problem', problem.message, 'bad'],
    ['Next', nextStep, 'strong'],
  ]
}
