import { onTestFinished, vi } from 'vitest'

/** Until the end of the test, `setTimeout` waits for what is returned here, which is given milliseconds. */
export function stopTime(): (milliseconds: number) => void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  return (milliseconds) => void vi.advanceTimersByTime(milliseconds)
}

/** Something that happens once, later. */
export interface Happening {
  readonly happened: Promise<void>
  happen(): void
}

export function happening(): Happening {
  let happen: (() => void) | undefined
  const happened = new Promise<void>((resolve) => (happen = resolve))
  return { happened, happen: () => happen?.() }
}
