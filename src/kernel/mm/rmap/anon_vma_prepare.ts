/**
 * A VMA's first anon_vma (mm/rmap.c: anon_vma_prepare; mm/mmap.c: find_mergeable_anon_vma, 6.1).
 */
import { load, READ_ONCE, store } from '../../arch/access.ts'
import { smp_store_release } from '../../arch/barrier.ts'
import type { AnonVma, Mm, Spinlock, Vma } from '../../arch/structs.ts'
import {
  anon_vma$num_active_vmas,
  anon_vma$num_children,
  mm$page_table_lock,
  vma$anon_vma,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
  VM_ACCESS_FLAGS,
} from '../../arch/structs.ts'
import { ENOMEM } from '../../errno.ts'
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts'
import { find_vma_index, vma_at } from '../mmap/mm_mt.ts'
import { count_vm_event, RETRY_anon_vma_prepare } from '../vmstat.ts'
import { anon_vma_alloc, anon_vma_lock_write, anon_vma_unlock_write, put_anon_vma } from './anon_vma.ts'
import {
  anon_vma_chain_alloc,
  anon_vma_chain_free,
  anon_vma_chain_link,
  list_is_singular_anon_vma_chain,
} from './anon_vma_chain.ts'

/**
 * Whether the two neighbours would merge if their rights were the same, so that they may as well share
 * (anon_vma_compatible).
 */
function anon_vma_compatible(a: Vma, b: Vma): boolean {
  return (
    load(a + vma$vm_end) === load(b + vma$vm_start) &&
    load(a + vma$vm_mapping) === load(b + vma$vm_mapping) &&
    ((load(a + vma$vm_flags) ^ load(b + vma$vm_flags)) & ~VM_ACCESS_FLAGS) === 0 &&
    load(b + vma$vm_pgoff) === load(a + vma$vm_pgoff) + load(b + vma$vm_start) - load(a + vma$vm_start)
  )
}

/** The anon_vma of `old` for its neighbour, `a` and `b` being the two in order; 0: it does not fit. */
function reusable_anon_vma(old: Vma, a: Vma, b: Vma): AnonVma {
  if (!anon_vma_compatible(a, b)) return 0 as AnonVma
  // Under mmap_lock for reading: another thread may be preparing the neighbour.
  const anon_vma = READ_ONCE(old + vma$anon_vma) as AnonVma
  return anon_vma !== 0 && list_is_singular_anon_vma_chain(old) ? anon_vma : (0 as AnonVma)
}

/** A neighbour's anon_vma that `vma` can share, so that the two can merge later; 0: none. */
function find_mergeable_anon_vma(vma: Vma): AnonVma {
  const mm = load(vma + vma$vm_mm) as Mm
  const index = find_vma_index(mm, load(vma + vma$vm_start))
  const next = vma_at(mm, index + 1)
  if (next !== 0) {
    const anon_vma = reusable_anon_vma(next, vma, next)
    if (anon_vma !== 0) return anon_vma
  }
  const prev = vma_at(mm, index - 1)
  return prev !== 0 ? reusable_anon_vma(prev, prev, vma) : (0 as AnonVma)
}

/** anon_vma_prepare's slow half. */
function __anon_vma_prepare(vma: Vma): number {
  const avc = anon_vma_chain_alloc()
  if (avc === 0) return -ENOMEM
  let anon_vma = find_mergeable_anon_vma(vma)
  let allocated = false
  if (anon_vma === 0) {
    anon_vma = anon_vma_alloc()
    if (anon_vma === 0) {
      anon_vma_chain_free(avc)
      return -ENOMEM
    }
    // A root is its own child.
    store(anon_vma + anon_vma$num_children, 1)
    allocated = true
  }
  const page_table_lock = (load(vma + vma$vm_mm) + mm$page_table_lock) as Spinlock
  anon_vma_lock_write(anon_vma)
  spin_lock(page_table_lock)
  const lost = load(vma + vma$anon_vma) !== 0
  if (!lost) {
    anon_vma_chain_link(vma, avc, anon_vma)
    store(anon_vma + anon_vma$num_active_vmas, load(anon_vma + anon_vma$num_active_vmas) + 1)
    // Faults of other threads look without the lock: complete before it is seen.
    smp_store_release(vma + vma$anon_vma, anon_vma)
  }
  spin_unlock(page_table_lock)
  anon_vma_unlock_write(anon_vma)
  if (lost) {
    count_vm_event(RETRY_anon_vma_prepare)
    if (allocated) put_anon_vma(anon_vma)
    anon_vma_chain_free(avc)
  }
  return 0
}

/**
 * Sees to it that the VMA has an anon_vma, before its first anonymous page. Under mmap_lock, for reading suffices.
 * Returns 0 or -ENOMEM.
 */
export function anon_vma_prepare(vma: Vma): number {
  return READ_ONCE(vma + vma$anon_vma) !== 0 ? 0 : __anon_vma_prepare(vma)
}
