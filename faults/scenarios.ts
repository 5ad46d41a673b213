import type { Scenario } from './scenario.ts'
import { answersOfEveryKind } from './scenarios/answers.ts'
import { clock } from './scenarios/clock.ts'
import { damagedFiles } from './scenarios/damaged-files.ts'
import { damagedLocks } from './scenarios/damaged-locks.ts'
import { diskAfter } from './scenarios/disk-after.ts'
import { diskBefore } from './scenarios/disk-before.ts'
import { dropped } from './scenarios/dropped.ts'
import { handoverKilled } from './scenarios/handover-killed.ts'
import { handoverRefused } from './scenarios/handover-refused.ts'
import { herd } from './scenarios/herd.ts'
import { keyDisk } from './scenarios/key-disk.ts'
import { keyKilled } from './scenarios/key-killed.ts'
import { keyRefused } from './scenarios/key-refused.ts'
import { inTimeHanging } from './scenarios/in-time-hanging.ts'
import { inTimeKilled } from './scenarios/in-time-killed.ts'
import { killedAtRandom } from './scenarios/killed-at-random.ts'
import { killedAtStep } from './scenarios/killed-at-step.ts'
import { killedWhileOthersWait } from './scenarios/killed-while-others-wait.ts'
import { libraryKilled } from './scenarios/library-killed.ts'
import { listener } from './scenarios/listener.ts'
import { mixed } from './scenarios/mixed.ts'
import { order } from './scenarios/order.ts'
import { parallel } from './scenarios/parallel.ts'
import { refusedAfter } from './scenarios/refused-after.ts'
import { refusedBefore } from './scenarios/refused-before.ts'
import { stopped } from './scenarios/stopped.ts'
import { stoppedAtStep } from './scenarios/stopped-at-step.ts'
import { window } from './scenarios/window.ts'

/** In the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  parallel,
  herd,
  mixed,
  killedAtStep,
  killedAtRandom,
  killedWhileOthersWait,
  window,
  order,
  stopped,
  stoppedAtStep,
  diskBefore,
  refusedBefore,
  diskAfter,
  refusedAfter,
  keyKilled,
  keyRefused,
  keyDisk,
  handoverKilled,
  handoverRefused,
  inTimeKilled,
  inTimeHanging,
  libraryKilled,
  answersOfEveryKind,
  dropped,
  clock,
  damagedFiles,
  damagedLocks,
  listener,
]
