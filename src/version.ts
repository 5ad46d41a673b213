import { createRequire } from 'node:module'

interface Package {
  readonly version: string
}

const { version: found } = createRequire(import.meta.url)('../package.json') as Package

/** This package's version. */
export const version: string = found
