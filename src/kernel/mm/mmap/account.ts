/**
 * What one mm may map (may_expand_vm, vm_stat_account, accountable_mapping, sysctl_max_map_count, mm/mmap.c, 6.1).
 * Left out: what overcommit accounting counts (only its flag is here), limits of data and stack, the counts by kind of
 * VMA. Of the model alone: what ends with -ENOMEM is counted, apart from what is refused for another reason.
 */
import { load, store } from '../../arch/access.ts'
import { MAX_MAP_COUNT } from '../../arch/limits.ts'
import { TASK_SIZE } from '../../arch/pgtable.ts'
import type { Mm } from '../../arch/structs.ts'
import { mm$total_vm, VM_NORESERVE, VM_SHARED, VM_WRITE } from '../../arch/structs.ts'
import { ENOMEM } from '../../errno.ts'
import { count_vm_event, ENOMEM_CALLS, ENOMEM_REFUSED } from '../vmstat.ts'

/**
 * VMAs that one mm may have. A munmap in the middle of a VMA splits it twice before it removes one, and mmap tests
 * for "more than": so the array is two larger.
 */
export const sysctl_max_map_count = MAX_MAP_COUNT - 2

/** Whether `npages` more fit into what an mm may map at all. */
export function may_expand_vm(mm: Mm, npages: number): boolean {
  return load(mm + mm$total_vm) + npages <= TASK_SIZE
}

/** Adds `npages` (negative: takes away) to the mm's size. Under mmap_lock for writing. */
export function vm_stat_account(mm: Mm, npages: number): void {
  store(mm + mm$total_vm, load(mm + mm$total_vm) + npages)
}

/** -ENOMEM for another reason than memory: a limit, no room for a mapping, a hole in a range. */
export function enomem_refused(): number {
  count_vm_event(ENOMEM_REFUSED)
  return -ENOMEM
}

/** What a system call returns. */
export function syscall_result(result: number): number {
  if (result === -ENOMEM) count_vm_event(ENOMEM_CALLS)
  return result
}

/** Whether memory is set aside for all pages of a mapping: it is VM_ACCOUNT then, and merges only with its like. */
export function accountable_mapping(vm_flags: number): boolean {
  return (vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE
}
