// judge as a user starts it: exit status, streams and files.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { JudgeReport } from '../../src/judge/report.ts'

vi.setConfig({ testTimeout: 120_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-judge-'))
afterAll(() => rmSync(folder, { recursive: true }))

function judge(...args: string[]): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } {
  const main = join(root, 'dist', 'src', 'cli', 'main.js')
  return spawnSync(process.execPath, [main, 'judge', ...args], { cwd: root, encoding: 'utf8' })
}

test('a violation ends with status 1, the report that hunt prints, and its replay file', () => {
  const { status, stdout } = judge(
    ...['examples/ptlock/per-cpu-lock.ts', '--scenario', 'same-page', '--seed', '1', '--out', folder],
  )
  expect(status).toBe(1)
  expect(stdout).toContain('violation of table-owner in execution')
  expect(stdout).toMatch(/^to replay it: mmtorture replay /m)
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^verdict: violated by table-owner in same-page/)
  const files = readdirSync(folder)
  expect(files).toEqual(expect.arrayContaining(['judge.json', 'judge.txt', 'same-page-table-owner.json']))
  const document = JSON.parse(readFileSync(join(folder, 'judge.json'), 'utf8')) as JudgeReport
  expect(document).toMatchObject({ schema: 'mmtorture/judge@1', verdict: 'violated' })
})

describe('bad input ends with status 2 and one sentence', () => {
  test.each([
    [['package.json'], /expected a TypeScript file/],
    [['nothing'], /there is no such design, spinlock or scenario/],
    [[], /missing required argument/],
    [['pmd', '--budget', '0'], /--budget 0: expected a number of seconds/],
    [['pmd', '--scenario', 'nowhere'], /there is no scenario nowhere/],
  ])('%s', (args, message) => {
    const { status, stderr, stdout } = judge(...args)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})
