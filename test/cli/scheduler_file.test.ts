import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadScheduler } from '../../src/catalog/scheduler_file.ts'
import { hunt } from '../../src/explore/hunt.ts'
import type { HuntResult } from '../../src/explore/rounds.ts'
import { subjectOf } from '../explore/subject.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-scheduler-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0

async function run(text: string, extension = 'ts'): Promise<HuntResult> {
  const path = join(folder, `s${files++}.${extension}`)
  writeFileSync(path, text)
  const scheduler = await loadScheduler(path)
  return hunt(subjectOf('lostUpdate'), { seed: 1, scheduler, executions: 100, sites: 8 })
}

const LAST = `
  begin(): void {}
  next(runnable: Int32Array, n: number): number { return runnable[n - 1]! }
`

test('a class, a function and an object are schedulers', async () => {
  const one = await run(`export default class { readonly name = 'last'; ${LAST} }`)
  expect(one).toMatchObject({ scheduler: 'last', executions: 100 })
  const body = `name: 'last', begin() {}, next: (r, n) => r[n - 1]`
  expect((await run(`export default ({ cpus }) => ({ ${body}, cpus })`, 'mjs')).executions).toBe(100)
  expect((await run(`export default { ${body} }`, 'mjs')).executions).toBe(100)
})

test.each([
  ['export default 7', /s\d+\.ts: the default export is no scheduler; expected an object with name/],
  ['export default class {', /s\d+\.ts:1:\d+: /],
  [
    `\n\nthrow new Error('not today')\nexport default class { name = 'x'; ${LAST} }`,
    /s\d+\.ts:3: the scheduler did not load: not today/,
  ],
  [
    `export default class {\n  name = 'x'\n  begin(): void {\n    throw new Error('no')\n  }\n  next() { return 0 }\n}`,
    /s\d+\.ts:4: the scheduler threw in begin\(\): no/,
  ],
  [
    `export default class { name = 'far'; begin() {}\n  next(): number { return 9 } }`,
    /s\d+\.ts: next\(\) of the scheduler far returned 9; expected one of 0, 1\./,
  ],
  [
    `import { x } from './other.ts'\nexport default x`,
    /imports \.\/other\.ts: a scheduler in TypeScript is one file/,
  ],
])('what is wrong with %j is said in one sentence', async (text, message) => {
  await expect(run(text)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(message),
  })
})

test('an unknown name is refused with the nearest', async () => {
  await expect(loadScheduler('randon')).rejects.toThrow(
    'there is no scheduler randon; expected portfolio, random, surw, pos, pct, round-robin, dfs or ' +
      'the path of a module. Did you mean random?',
  )
  await expect(loadScheduler('./nowhere.ts')).rejects.toThrow(
    '--scheduler ./nowhere.ts: there is no such file.',
  )
})
