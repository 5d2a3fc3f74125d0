// The checks at rest: each walks the memory of a machine whose CPUs are outside the kernel.
import { addressSpaces } from './address_spaces.ts'
import { anonExclusive } from './anon_exclusive.ts'
import { buddy } from './buddy.ts'
import type { Check, CheckResult, Stage } from './check.ts'
import { freePages } from './free_pages.ts'
import { leaks } from './leaks.ts'
import { lru } from './lru.ts'
import { mapcounts } from './mapcounts.ts'
import { mmlist } from './mmlist.ts'
import { dirtyPages, hugetlb } from './not_applicable.ts'
import { quiescence } from './quiescence.ts'
import { refcounts } from './refcounts.ts'
import { rmap } from './rmap.ts'
import { rss } from './rss.ts'
import { swapCounts } from './swap_counts.ts'
import { taskTree } from './task_tree.ts'
import type { MachineView } from '../inspect/symbols.ts'
import { RestingMachine } from './resting_machine.ts'

export type { Check, CheckResult, Stage } from './check.ts'

/** All checks at rest, in the order of their numbers. */
export const CHECKS: readonly Check[] = [
  refcounts,
  mapcounts,
  rss,
  swapCounts,
  mmlist,
  buddy,
  freePages,
  lru,
  rmap,
  quiescence,
  anonExclusive,
  leaks,
  hugetlb,
  dirtyPages,
  addressSpaces,
  taskTree,
]

/** Runs every check on a machine at rest. A result's name is `Q1 refcounts`. */
export function runChecks(machine: MachineView, stage: Stage): CheckResult[] {
  const view = new RestingMachine(machine, stage)
  return CHECKS.map((check) => {
    const name = `${check.id} ${check.name}`
    const found = check.run(view)
    if (found === 'not applicable') return { name, ok: found }
    return found === null ? { name, ok: true } : { name, ok: false, detail: found }
  })
}
