/**
 * Merging a range into a neighbour (vma_merge and its tests, mm/mmap.c, 6.1).
 * Left out: memory policies, userfaultfd, names of anonymous VMAs, vm_ops->close, khugepaged.
 */
import { load } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import type { AddressSpace, AnonVma, Mm, Vma } from '../../arch/structs.ts'
import {
  VM_MIXEDMAP,
  VM_PFNMAP,
  vma$anon_vma,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_pgoff,
  vma$vm_start,
} from '../../arch/structs.ts'
import { list_is_singular_anon_vma_chain } from '../rmap/anon_vma_chain.ts'
import { find_vma } from './mm_mt.ts'
import { __vma_adjust } from './vma_adjust.ts'

/** VMAs that must not merge (VM_SPECIAL). */
export const VM_SPECIAL = VM_PFNMAP | VM_MIXEDMAP

/** Whether two anon_vmas may share a VMA. A VMA with several chains came by fork: it stays apart, so its locks do. */
function is_mergeable_anon_vma(anon_vma1: AnonVma, anon_vma2: AnonVma, vma: Vma): boolean {
  if ((anon_vma1 === 0 || anon_vma2 === 0) && (vma === 0 || list_is_singular_anon_vma_chain(vma))) return true
  return anon_vma1 === anon_vma2
}

function is_mergeable_vma(vma: Vma, vm_flags: number, anon_vma: AnonVma, mapping: AddressSpace): boolean {
  return (
    load(vma + vma$vm_flags) === vm_flags &&
    load(vma + vma$vm_mapping) === mapping &&
    is_mergeable_anon_vma(anon_vma, load(vma + vma$anon_vma) as AnonVma, vma)
  )
}

function can_vma_merge_before(
  vma: Vma,
  vm_flags: number,
  anon_vma: AnonVma,
  mapping: AddressSpace,
  pgoff: number,
): boolean {
  return load(vma + vma$vm_pgoff) === pgoff && is_mergeable_vma(vma, vm_flags, anon_vma, mapping)
}

function can_vma_merge_after(
  vma: Vma,
  vm_flags: number,
  anon_vma: AnonVma,
  mapping: AddressSpace,
  pgoff: number,
): boolean {
  const pglen = load(vma + vma$vm_end) - load(vma + vma$vm_start)
  return load(vma + vma$vm_pgoff) + pglen === pgoff && is_mergeable_vma(vma, vm_flags, anon_vma, mapping)
}

/**
 * Tries to make [addr, end), which gets `vm_flags`, part of a neighbour. `prev` is the last VMA that begins below
 * `addr` (0: none); it may reach into the range. Returns the VMA that holds the range now, or 0: no neighbour fits, or
 * memory ran out, and nothing has changed. The range may be (the letters are Linux's, P prev, N next, A the range):
 *
 *   a hole       PPAANN -> PPPPPP (1)   PPAA -> PPPP (2)   AANN -> NNNN (3)
 *   end of P     PPaaNN -> PPNNNN (4)
 *   start of N   PPAaNN -> PPPPNN (5)
 *   a whole VMA  PPAANN -> PPPPPP (6)   PPAAxx -> PPPPxx (7)   xxAANN -> xxNNNN (8)
 */
export function vma_merge(
  mm: Mm,
  prev: Vma,
  addr: number,
  end: number,
  vm_flags: number,
  anon_vma: AnonVma,
  mapping: AddressSpace,
  pgoff: number,
): Vma {
  if ((vm_flags & VM_SPECIAL) !== 0) return 0 as Vma
  const mid = find_vma(mm, prev !== 0 ? load(prev + vma$vm_end) : 0)
  let next = mid
  if (mid !== 0 && load(mid + vma$vm_end) === end) next = find_vma(mm, end)
  BUG_ON(prev !== 0 && addr <= load(prev + vma$vm_start))
  BUG_ON(mid !== 0 && end > load(mid + vma$vm_end))
  BUG_ON(addr >= end)
  const merge_prev =
    prev !== 0 &&
    load(prev + vma$vm_end) === addr &&
    can_vma_merge_after(prev, vm_flags, anon_vma, mapping, pgoff)
  const merge_next =
    next !== 0 &&
    load(next + vma$vm_start) === end &&
    can_vma_merge_before(next, vm_flags, anon_vma, mapping, pgoff + end - addr)
  let res = 0 as Vma
  let error = 0
  if (
    merge_prev &&
    merge_next &&
    is_mergeable_anon_vma(
      load(prev + vma$anon_vma) as AnonVma,
      load(next + vma$anon_vma) as AnonVma,
      0 as Vma,
    )
  ) {
    res = prev
    const next_end = load(next + vma$vm_end)
    error = __vma_adjust(prev, load(prev + vma$vm_start), next_end, load(prev + vma$vm_pgoff), 0 as Vma, prev)
  } else if (merge_prev) {
    res = prev
    error = __vma_adjust(prev, load(prev + vma$vm_start), end, load(prev + vma$vm_pgoff), 0 as Vma, prev)
  } else if (merge_next) {
    res = next
    if (prev !== 0 && addr < load(prev + vma$vm_end))
      error = __vma_adjust(prev, load(prev + vma$vm_start), addr, load(prev + vma$vm_pgoff), 0 as Vma, next)
    else error = __vma_adjust(mid, addr, load(next + vma$vm_end), pgoff, 0 as Vma, next)
  }
  return error === 0 ? res : (0 as Vma)
}
