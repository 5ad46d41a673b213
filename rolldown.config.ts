import { isBuiltin } from 'node:module'
import { defineConfig, type Plugin } from 'rolldown'

/** The hot path reaches the command line as a file of its own, loaded only when it is needed. */
const commandLineStaysOutside: Plugin = {
  name: 'command-line-stays-outside',
  resolveId: (source, importer) =>
    source === './cli.ts' && importer?.endsWith('main.ts') ? { id: './cli.js', external: true } : null,
}

const packages = /^[^./]/

/**
 * The lock's package takes hold of the process's signals and of its end as soon as it is loaded. A library must not: the lock
 * of a process that is gone is taken over at once in any case. So this one package is carried along, without that part.
 */
const signalsStayTheHosts: Plugin = {
  name: 'signals-stay-the-hosts',
  resolveId: (source) => (source === 'signal-exit' ? '\0no-signal-exit' : null),
  load: (id) => (id === '\0no-signal-exit' ? 'module.exports = () => () => undefined' : null),
}

/**
 * That package is CommonJS, and its `require` of what Node.js itself has would become one made from `import.meta.url`. Whoever
 * bundles the library into CommonJS, as editors' extensions are, has no such address.
 */
const nodesOwnModules: Plugin = {
  name: 'nodes-own-modules',
  transform: {
    filter: { id: /node_modules/ },
    handler: (code) =>
      code.replaceAll(/\brequire\((['"])([a-z:_/]+)\1\)/g, (call, _quote, name: string) =>
        isBuiltin(name) ? `process.getBuiltinModule('${name}')` : call,
      ),
  },
}

const packagesButTheLock = /^(?!(?:node:|proper-lockfile|graceful-fs|retry|signal-exit)\b)[^./\0]/

/** The CLI carries its packages in lazy chunks; the library leaves all but one to whoever installs it. */
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
    external: [packagesButTheLock],
    plugins: [signalsStayTheHosts, nodesOwnModules],
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'index/[name]-[hash].js' },
  },
  {
    // Programs of this repository; none of them is shipped.
    platform: 'node',
    input: {
      demo: 'demo/demo.ts',
      bench: 'bench/bench.ts',
      'library-call': 'bench/library-call.ts',
      faults: 'faults/faults.ts',
      man: 'man/man.ts',
      captures: 'captures/captures.ts',
    },
    external: [packages],
    output: { dir: 'build', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
  },
])
