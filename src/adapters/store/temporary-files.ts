import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isTemporaryOf, writing } from './durable-file.ts'

/** The temporary files beside `target` that belong to it, whoever made them. @throws {AuthError} `store_unwritable`. */
export function temporariesOf(target: string): string[] {
  const folder = dirname(target)
  return writing(folder, () => readdirSync(folder))
    .filter((name) => isTemporaryOf(target, name))
    .map((name) => join(folder, name))
}
