// What a page-table-lock design costs in memory: words for the machine, and words in the struct page of each table.
// Leaves out the words of other locks.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../base/root.ts'
import { kbuild } from '../kbuild/index.ts'
import { planRun } from '../run/run.ts'
import type { Candidate } from './candidate.ts'
import { type JudgePlan, nameOf } from './plan.ts'
import type { Memory } from './report.ts'
import type { ScenarioFile } from '../catalog/scenarios.ts'

/** Undefined of what is neither a design nor a spinlock. Throws UsageError as kbuild does. */
export async function memoryOf(
  { settings }: JudgePlan,
  candidate: Candidate,
  scenario: ScenarioFile,
): Promise<Memory | undefined> {
  if (candidate.kind !== 'design' && candidate.kind !== 'spinlock') return undefined
  const plan = planRun(nameOf(scenario), { config: [...settings, ...candidate.settings] })
  const [config] = plan.configs
  const { symbols } = await kbuild(config, { scenario: scenario.file, patches: [] })
  const design = config.PTLOCK.includes('/')
    ? config.PTLOCK
    : join(packageRoot(), 'src/kernel/locking/ptlock', `${config.PTLOCK}.ts`)
  const inPage = readFileSync(design, 'utf8').includes('page$ptl')
  return {
    machine: symbols['PTLOCK_WORDS'],
    table: inPage ? symbols['PAGE_PTL_WORDS'] : 0,
    spinlock: symbols['SPINLOCK_WORDS'],
  }
}
