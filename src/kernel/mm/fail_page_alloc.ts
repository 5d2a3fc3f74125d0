/**
 * Fault injection into page allocations (CONFIG_FAIL_PAGE_ALLOC of mm/page_alloc.c, 6.1): as by default in Linux, into
 * those that may not wait (ignore-gfp-wait), which must be ready to fail. A scenario says how often.
 */
import { atomic_fetch_add } from '#atomic'
import { load } from '../arch/access.ts'
import { SWAP_AREA } from '../arch/memory_map.ts'
import { swap$fail_page_alloc, swap$nr_atomic_allocs } from '../arch/structs.ts'
import { GFP_ATOMIC } from './gfp.ts'
import { ALLOC_FAILED, count_vm_event } from './vmstat.ts'

/** Whether this allocation is one that fails. */
export function should_fail_alloc_page(gfp: number): boolean {
  if (gfp !== GFP_ATOMIC) return false
  const every = load(SWAP_AREA + swap$fail_page_alloc)
  if (every === 0 || (atomic_fetch_add(SWAP_AREA + swap$nr_atomic_allocs, 1) + 1) % every !== 0) return false
  count_vm_event(ALLOC_FAILED)
  return true
}
