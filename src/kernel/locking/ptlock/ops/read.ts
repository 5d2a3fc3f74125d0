/** Optimistic looks at an entry, where a design does not bring them: there are none, who looks takes the lock. */
import type { Pmd, Pte, PteP } from '../../../arch/structs.ts'

export const PTL_OPTIMISTIC = 0

export function ptl_read_begin(_pmd: Pmd, _addr: number): number {
  return 0
}

export function ptl_read_retry(_pmd: Pmd, _addr: number, _seq: number, _ptep: PteP, _orig: Pte): boolean {
  return true
}
