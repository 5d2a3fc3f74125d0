// The spinlock of a table.
import { page$ptl, type Pmd, pmd_page, type Spinlock } from 'mmtorture/kernel'

export function table_lock(pmd: Pmd): Spinlock {
  return (pmd_page(pmd) + page$ptl) as Spinlock
}
