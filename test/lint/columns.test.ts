// How long a line may be: lint/columns.mjs.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtorture-columns-'))
  for (const name of [
    'bench',
    'examples',
    'lint',
    'scenarios',
    'src',
    'test',
    'topologies',
    'validation',
    'workers',
  ])
    mkdirSync(join(folder, name))
})
afterEach(() => rmSync(folder, { recursive: true }))

function lint(text: string): { status: number | null; stderr: string } {
  writeFileSync(join(folder, 'src', 'one.ts'), text)
  return spawnSync(process.execPath, [join(root, 'lint/columns.mjs'), folder], { encoding: 'utf8' })
}

const word = 'x'.repeat(120)

test('a line of 120 columns passes', () => {
  expect(lint(word)).toMatchObject({ status: 0, stderr: '' })
})

test('a longer one is named, code or comment', () => {
  expect(lint(`\n// ${word}`)).toMatchObject({
    status: 1,
    stderr: 'src/one.ts:2: 123 columns, at most 120.\n',
  })
  expect(lint(`f('${word}')`).status).toBe(1)
})

test('a regular expression on a line of its own passes, since it cannot be broken', () => {
  expect(lint(`  /${word}/,`).status).toBe(0)
})
