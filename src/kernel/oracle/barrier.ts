/**
 * Order between what the data oracle notes and what the machine does.
 */
import { WEAK_MEMORY } from '#config'
import { smp_mb } from '../arch/barrier.ts'

/** Weakly ordered hosts need what x86 gives: loads and stores in program order. */
export function oracle_mb(): void {
  if (WEAK_MEMORY) smp_mb()
}
