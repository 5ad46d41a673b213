import { defineConfig, type Plugin } from 'rolldown'

/** The hot path reaches the command line as a file of its own, loaded only when it is needed. */
const commandLineStaysOutside: Plugin = {
  name: 'command-line-stays-outside',
  resolveId: (source, importer) =>
    source === './cli.ts' && importer?.endsWith('main.ts') ? { id: './cli.js', external: true } : null,
}

const packages = /^[^./]/

/** The CLI carries its packages in lazy chunks; the library leaves them to whoever installs it. */
export default defineConfig([
  {
    platform: 'node',
    input: { main: 'src/main.ts' },
    plugins: [commandLineStaysOutside],
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      dynamicImportInCjs: true,
      minify: true,
    },
  },
  {
    platform: 'node',
    input: { cli: 'src/cli.ts' },
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'cli/[name]-[hash].js' },
  },
  {
    platform: 'node',
    input: { index: 'src/index.ts' },
    external: [packages],
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'index/[name]-[hash].js' },
  },
  {
    // Programs of this repository; none of them is shipped.
    platform: 'node',
    input: { demo: 'demo/demo.ts', bench: 'bench/bench.ts', faults: 'faults/faults.ts' },
    external: [packages],
    output: { dir: 'build', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
  },
])
