// Sweeps as a user starts them: lists that cross, the baseline, repeats and comma-separated values.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { HuntSweep } from '../../src/hunt/sweep.ts'
import type { SweepReport } from '../../src/run/sweep.ts'

vi.setConfig({ testTimeout: 120_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-sweep-'))
afterAll(() => rmSync(folder, { recursive: true }))

function mmtorture(...args: string[]): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } {
  const main = join(root, 'dist', 'src', 'cli', 'main.js')
  return spawnSync(process.execPath, [main, ...args], { cwd: root, encoding: 'utf8' })
}

test('a hunt crosses schedulers and seeds', () => {
  const args = ['hunt', 'examples/scenarios/my-race.ts', '--executions', '20', '--out', folder]
  const lists = ['--scheduler', 'random,pct', '--seed', '1,2', '--baseline', 'scheduler=pct seed=2']
  const { status, stdout } = mmtorture(...args, ...lists, '--json')
  expect(status).toBe(1)
  const { rows, baseline } = JSON.parse(stdout) as HuntSweep
  expect(rows.map(({ scheduler, seed }) => `${scheduler} ${seed}`)).toEqual([
    ...['random 1', 'random 2', 'pct-3 1', 'pct-3 2'],
  ])
  expect(baseline).toBe(3)
  expect(rows[3].ofBaseline).toBe(1)
})

test('a run repeats its rows in turn, and says which revert each has', () => {
  const args = ['run', 'same-page', '--cpus', '2', '--seconds', '0.1', '--repeat', '2']
  const { stdout, stderr } = mmtorture(...args, '--revert', 'none,no-recheck-wp-page-copy', '--json')
  const { rows, baseline } = JSON.parse(stdout) as SweepReport
  expect(rows.map(({ reverts }) => reverts)).toEqual([[], ['no-recheck-wp-page-copy']])
  for (const { repeats } of rows) expect(repeats!.operationsPerSecond).toHaveLength(2)
  expect(baseline).toBe(0)
  expect(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^mmtorture: /, '')),
  ).toEqual([
    ...['1 of 4: revert=none', '2 of 4: revert=no-recheck-wp-page-copy'],
    ...['3 of 4: revert=none', '4 of 4: revert=no-recheck-wp-page-copy'],
  ])
})

test('curves of several seeds stand in one table and one file of values', () => {
  const csv = join(folder, 'scale.csv')
  const args = ['scale', 'lock-torture', '--cpus', '1,2', '--operations', '10', '--config', 'MEMORY=8M']
  const { status, stdout } = mmtorture(...args, '--seed', '1,2', `--csv=${csv}`)
  expect(status).toBe(0)
  expect(stdout).toMatch(/^A {2}seed=1 .* 100 % /m)
  expect(stdout).toContain('of base: of what seed=1 does on as many CPUs.')
  const [head, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n')
  const at = head.split(',').indexOf('seed')
  expect(lines.map((line) => line.split(',')[at])).toEqual(['1', '1', '2', '2'])
})

describe('what is wrong is refused in one sentence', () => {
  test.each([
    [['run', '--seed', '1,x'], /--seed x: expected an integer .* or several such as 1,2,3/],
    [['run', '--repeat', '0'], /--repeat 0: expected an integer from 1/],
    [['run', '--config', 'PTLOCK=mm,pte', '--baseline', 'PTLOCK=x'], /there is no such row; the rows are/],
    [['hunt', '--json', '--csv'], /--json and --csv both print/],
    [['scale', '--revert', 'none,nothing'], /nothing/],
  ])('%s', (args, message) => {
    const { status, stderr, stdout } = mmtorture(...args)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})
