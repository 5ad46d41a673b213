import type { RefreshReason, RefreshRequest } from '../../src/core/ports.ts'

/** A refresh that is never repeated, whatever happens to it. */
export function once(reason: RefreshReason): RefreshRequest {
  return { reason, retryFor: 0, signal: new AbortController().signal }
}
