import { mountSmallDisk } from '../test/support/small-disk.ts'
import type { Stage } from './scenario.ts'
import { inFolder } from './trial.ts'

/**
 * A folder in which files come and go ten thousand times: in memory where it can be mounted, since some disks take
 * longer to forget a folder than it takes to look at it.
 */
export function inMemory<T>(stage: Stage, work: (folder: string) => Promise<T>): Promise<T> {
  const disk = mountSmallDisk()
  if (disk === undefined) return inFolder(stage, ({ folder }) => work(folder))
  const forget = stage.atEnd(disk.remove)
  return work(disk.path).finally(() => {
    forget()
    disk.remove()
  })
}
