// Vitest: the build runs once before the tests, because worker threads are started from dist/ and tests import what it
// made.
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const root = dirname(fileURLToPath(import.meta.url))

/**
 * Imports of the project's host code by a test are of its build: the code that users run, loaded by Node itself.
 * Vitest's own loading looks each import up at every use, which makes hunts take three times as long. Kernel code is
 * not built, and stays with vitest.
 */
const built: Plugin = {
  name: 'built',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return undefined
    const name = relative(root, resolve(dirname(importer), source)).replaceAll('\\', '/')
    if (!/^(?:src|bench|validation|workers)\/.*\.ts$/.test(name) || name.startsWith('src/kernel/'))
      return undefined
    return join(root, 'dist', name.replace(/\.ts$/, '.js'))
  },
}

/**
 * Begins with what takes minutes: a file that is left over at the end has one of the two workers to itself, and the
 * other is idle.
 */
const LONGEST = [
  'reverts/reverts.test.ts',
  'reverts/held.test.ts',
  'scenarios/cpus.test.ts',
  'scenarios/reach.test.ts',
  'docs/readme.test.ts',
  'reverts/reports.test.ts',
  'cli/hunt.test.ts',
  'scenarios/forms.test.ts',
  'docs/seeds.test.ts',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(name))
      return place < 0 ? LONGEST.length : place
    }
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig({
  plugins: [built],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    setupFiles: process.env.MMTORTURE_EXECUTED === undefined ? [] : ['test/docs/executed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    server: { deps: { external: [/\/dist\//] } },
    sequence: { sequencer: LongestFirst },
  },
})
