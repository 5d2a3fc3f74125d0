// Whether somebody waits for the spinlock of a table.
import { type Mm, type Pmd, spin_needbreak } from 'mmtorture/kernel'
import { table_lock } from './table_lock.ts'

export function ptl_is_contended(_mm: Mm, pmd: Pmd, _addr: number, _end: number): boolean {
  return spin_needbreak(table_lock(pmd))
}
