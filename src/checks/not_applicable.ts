// Invariants of mechanisms that this kernel does not have yet: named, so that a report says that nobody looked.
import type { Check } from './check.ts'

function missing(id: string, name: string, description: string): Check {
  return { id, name, description, run: () => 'not applicable' }
}

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
