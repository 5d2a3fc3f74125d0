// Invariants of mechanisms that this kernel does not have yet: named, so that a report says that nobody looked.
import type { Check } from './check.ts'

function missing(id: string, name: string, description: string): Check {
  return { id, name, description, run: () => 'not applicable' }
}

export const swapCounts = missing(
  'Q4',
  'swap counts',
  'A swap slot counts the swap entries that name it. (No swap yet.)',
)
export const mmlist = missing(
  'Q5',
  'mmlist',
  'An mm with swap entries is reachable from init_mm. (No swap yet.)',
)
export const hugetlb = missing(
  'Q12',
  'hugetlb',
  'Huge pages free and in use are all there are. (No huge pages yet.)',
)
export const dirtyPages = missing(
  'Q13',
  'dirty pages',
  'NR_FILE_DIRTY counts the dirty pages. (No writeback yet.)',
)
