// What a page-table-lock design costs in memory: words for the machine, and words in the struct page of each table.
// Leaves out the words of other locks.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../base/root.ts'
import { findScenario } from '../catalog/scenarios.ts'
import { kbuild } from '../kbuild/index.ts'
import type { RunReport } from '../run/report.ts'
import type { Candidate } from './candidate.ts'
import type { Memory } from './report.ts'

/**
 * Of the kernel of a run, whose image is there already. Undefined of what is neither a design nor a spinlock, and where
 * nothing was run.
 */
export async function memoryOf({ kind }: Candidate, run: RunReport | undefined): Promise<Memory | undefined> {
  if ((kind !== 'design' && kind !== 'spinlock') || run === undefined) return undefined
  const { config, scenario } = run
  const { symbols } = await kbuild(config, { scenario: findScenario(scenario).file })
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
