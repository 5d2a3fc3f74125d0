// The table of what a folder may import: lint/folders.mjs.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

function lint(folder: string): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [join(root, 'lint/folders.mjs'), folder], { encoding: 'utf8' })
}

test('what is there keeps to the table', () => {
  expect(lint(root)).toMatchObject({ stderr: '', status: 0 })
})

describe('an import against the table fails', () => {
  let copy: string
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'mmtorture-folders-'))
    for (const folder of ['src', 'bench', 'validation', 'workers'])
      cpSync(join(root, folder), join(copy, folder), { recursive: true })
  })
  afterEach(() => rmSync(copy, { recursive: true }))

  test.each([
    [
      'src/explore/shrink.ts',
      "import '../report/run_text.ts'",
      /shrink\.ts:\d+: src\/explore may not import src\/report/,
    ],
    [
      'src/kernel/fork.ts',
      "import { UsageError } from '../base/errors.ts'",
      /src\/kernel may not import src\/base; it may import nothing/,
    ],
    ['src/hunt/plan.ts', "export { main } from '../cli/main.ts'", /src\/hunt may not import src\/cli/],
    ['src/trace/fold.ts', "const x = await import('../run/run.ts')", /src\/trace may not import src\/run/],
    ['src/machine/explain.ts', "import { fork } from '../kernel/fork.ts'", /types of src\/kernel only/],
    ['workers/cpu.ts', "import '../src/cli/main.ts'", /workers imports src\/cli: import the use case/],
  ])('%s: %s', (file, statement, message) => {
    appendFileSync(join(copy, file), `\n${statement}\n`)
    const { status, stderr } = lint(copy)
    expect(stderr).toMatch(message)
    expect(status).toBe(1)
  })
})
