// Scenarios as users write them, each of something that came out wrong.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { planScale, scalePlan } from '../../src/scale/scale.ts'
import { type Ended, runCommand } from '../support/command.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url))
/** Replay files go there. */
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-foreign-'))
afterAll(() => rmSync(folder, { recursive: true }))

const mmtorture = (...args: string[]): Ended => runCommand(args, folder)

test('a BUG_ON of a scenario is found at its own place in a hunt too', { timeout: 120_000 }, () => {
  const args = [fixture('bug'), '--workers', '1', '--executions', '20']
  const { stdout, status } = mmtorture('hunt', ...args)
  expect(status).toBe(1)
  expect(stdout).toMatch(/^kernel BUG at \S*test\/scenarios\/fixtures\/bug\.ts:19!$/m)
})

test('a mapping at the end of the address space grows elsewhere', { timeout: 120_000 }, () => {
  const { stdout, status } = mmtorture('run', fixture('grows_at_the_top'), '--cpus', '1', '--seconds', '0.1')
  expect(stdout).toMatch(/^verdict: held$/m)
  expect(status).toBe(0)
})

test('a word that the scenario does not have is refused where it is asked for', { timeout: 120_000 }, () => {
  const { stdout, status } = mmtorture('run', fixture('word_16'), '--cpus', '1', '--seconds', '0.1')
  expect(status).toBe(1)
  expect(stdout).toMatch(
    /kernel BUG at .* in scenario_word: scenario_word\(16\): a scenario has 16 words, 0 to 15$/m,
  )
  expect(stdout).toMatch(/^ {2}program \S*test\/scenarios\/fixtures\/word_16\.ts:10$/m)
})

test('processes that share nothing do not wait for each other', { timeout: 120_000 }, async () => {
  const plan = planScale(fixture('independent'), { cpus: [1, 64], operations: 60 })
  const [one, many] = (await scalePlan(plan)).points
  expect(many.operationsPerSecond / one.operationsPerSecond).toBeGreaterThan(50)
})
