import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { answers } from '../../test/support/fake-issuer.ts'
import { duration, median } from '../figures.ts'
import type { Ended } from '../program.ts'
import type { Findings, Scenario, Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, endsWith, keepsLogin } from '../verdict.ts'

export const window: Scenario = {
  name: 'window',
  rule:
    'How long an answer exists nowhere but in the process: from the moment the provider has replaced the refresh ' +
    'token until the answer is written, which a killed process survives, and until the new credential has taken its ' +
    'place, flushed, which a power cut survives. No client can make it zero.',
  run: measure,
}

async function measure(stage: Stage): Promise<Findings> {
  const tally = new Tally('refreshes one after the other, nothing done to them')
  const [written, saved]: [number[], number[]] = [[], []]
  const times = stage.short ? 5 : 150
  await inTrial(stage, async (trial) => {
    for (let at = 0; at < times; at++) {
      const before = trial.issuer.refreshes
      const found = await refreshed(trial)
      written.push(found.written)
      saved.push(found.saved)
      tally.add({
        refreshes: trial.issuer.refreshes - before,
        spentTwice: trial.issuer.spentTwice,
        lost: keepsLogin(trial) ? 0 : 1,
        hangs: found.ended.hung ? 1 : 0,
        broken: [...complaints(found.ended, trial.issuer), ...endsWith(found.ended, 0)],
      })
      stage.progress(at + 1, times)
    }
  })
  const notes = `from the answer until it is written: ${spread(written)}; until it is in its place: ${spread(saved)}`
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

function spread(times: readonly number[]): string {
  return `median ${duration(median(times))}, most ${duration(Math.max(...times))}`
}

interface Refreshed {
  /** Milliseconds from the moment the answer was ready until its file was last written to. */
  readonly written: number
  /** And until that file had the credential's name. */
  readonly saved: number
  readonly ended: Ended
}

/** One refresh. The file system's own notices tell when, so the program runs as it always does. */
async function refreshed({ issuer, run, credentialPath }: Trial): Promise<Refreshed> {
  const name = basename(credentialPath)
  let [answered, written, saved] = [NaN, NaN, NaN]
  const watcher = watch(dirname(credentialPath), (event, changed) => {
    const now = performance.now()
    if (changed === name) saved = now
    else if (event === 'change' && changed?.startsWith(`.${name}.`)) written = now
  })
  issuer.nextAnswers.push({
    ...answers.genuine,
    beforeAnswer: async () => {
      answered = performance.now()
    },
  })
  const ended = await run(['refresh', '--quiet'])
  watcher.close()
  return { written: written - answered, saved: saved - answered, ended }
}
