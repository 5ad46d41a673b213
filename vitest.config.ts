import { defineConfig } from 'vitest/config'

/** Programs of their own, fixed ports and time limits: one file at a time, after those that share nothing. */
const alone = { fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    globalSetup: ['test/support/leak-check.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 30_000,
          include: ['test/{core,commands,adapters,library}/**/*.test.ts', 'test/*.test.ts'],
        },
      },
      { test: { ...alone, name: 'e2e', include: ['test/{e2e,faults}/**/*.test.ts'] } },
      { test: { ...alone, name: 'system', include: ['test/system/**/*.test.ts'], testTimeout: 120_000 } },
    ],
  },
})
