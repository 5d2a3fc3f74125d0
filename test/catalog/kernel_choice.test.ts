// What a run, a hunt and scale choose alike: reverts, patches and the settings that these need.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { chooseKernel, namedSettings, patchArguments } from '../../src/catalog/kernel_choice.ts'
import { huntCommand, planHunt } from '../../src/hunt/plan.ts'
import { planRun, runPlan } from '../../src/run/run.ts'
import { planScale, scalePlan } from '../../src/scale/scale.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-choice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const patch = join(folder, 'mine.patch')
writeFileSync(patch, '')

const PLANS = [
  ['run', planRun],
  ['hunt', planHunt],
  ['scale', planScale],
] as const

describe.each(PLANS)('%s', (_, plan) => {
  test('takes a fix out in the scenario that shows it, with the settings that it needs', () => {
    const { scenario, reverts, patches, configs } = plan(undefined, { revert: ['fork-no-vma-lock'] })
    expect(reverts).toEqual(['fork-no-vma-lock'])
    expect(patches[0]).toMatch(/reverts\/fork-no-vma-lock\/revert\.patch$/)
    expect(scenario.name).toBe('fork-cow')
    expect(configs[0].VMA_LOCK).toBe('y')
  })

  test('takes the scenario that is named all the same', () => {
    expect(plan('same-page', { revert: ['fork-no-vma-lock'] }).scenario.name).toBe('same-page')
  })

  test('refuses a revert that there is not', () => {
    expect(() => plan(undefined, { revert: ['ptl-wrongg'] })).toThrow(
      'there is no revert ptl-wrongg (did you mean ptl-wrong?)',
    )
  })
})

test('the options that choose a kernel again are named', () => {
  const kernel = chooseKernel('same-page', { revert: ['ptl-wrong'], patch: [patch] }, 'same-page')
  expect(patchArguments(kernel)).toEqual(['--revert', 'ptl-wrong', '--patch', relative('', patch)])
})

test('a setting that a revert would change is named, though it is what the kernel has by itself', () => {
  const revert = ['fork-no-vma-lock']
  const plan = planRun(undefined, { revert, config: ['VMA_LOCK=n'] })
  expect(namedSettings(plan.configs[0], plan)).toEqual(['VMA_LOCK=n'])
})

test('a hunt names such a setting too', () => {
  const own = planHunt(undefined, { revert: ['fork-no-vma-lock'], config: ['VMA_LOCK=n'] })
  expect(huntCommand(own, own.configs[0])).toMatch(/--seed 1 --config VMA_LOCK=n$/)
  const usual = planHunt('same-page', {})
  expect(huntCommand(usual, usual.configs[0])).toMatch(/--seed 1$/)
})

test('a run says what was changed, and its command repeats it', async () => {
  const plan = planRun('lock-torture', { revert: ['wrprotect-plain'], cpus: 2, seconds: 0.1 })
  const [row] = (await runPlan(plan)).rows
  expect(row).toMatchObject({ reverts: ['wrprotect-plain'], patches: [] })
  expect(row.command).toContain('--revert wrprotect-plain')
})

test('a point of scale says what was changed, and its command repeats it', async () => {
  const report = await scalePlan(
    planScale('lock-torture', { revert: ['ptl-wrong'], cpus: [2], operations: 10, config: ['MEMORY=8M'] }),
  )
  expect(report).toMatchObject({ reverts: ['ptl-wrong'], patches: [] })
  expect(report.command).toContain('--revert ptl-wrong')
})
