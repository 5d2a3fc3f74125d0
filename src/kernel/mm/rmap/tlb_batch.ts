/**
 * Flushes that reclaim defers (mm/rmap.c, CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH, 6.1): one interrupt a CPU for many
 * unmapped pages. They are flushed before a page is written that may be dirty in a TLB, and before any is freed. Who
 * changes a range meanwhile flushes for reclaim (flush_tlb_batched_pending), since it does not see the entries that are
 * gone.
 */
import { atomic_fetch_add, atomic_load, cmpxchg } from '#atomic'
import { this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { tlb_ubc$flush_required, tlb_ubc$writable } from '../../arch/percpu.ts'
import type { Mm } from '../../arch/structs.ts'
import { mm$tlb_flush_batched } from '../../arch/structs.ts'
import { arch_tlbbatch_add_mm, arch_tlbbatch_flush, flush_tlb_mm, mm_has_other_cpus } from '../../arch/tlb.ts'

/** The entry's flush may be deferred (enum ttu_flags). */
export const TTU_BATCH_FLUSH = 1 << 6

/** mm$tlb_flush_batched: flushes deferred so far in the low half, how many of them were made up for above. */
const TLB_FLUSH_BATCH_FLUSHED_SHIFT = 16
const TLB_FLUSH_BATCH_PENDING_MASK = (1 << (TLB_FLUSH_BATCH_FLUSHED_SHIFT - 1)) - 1
/** Above this the count starts anew. */
const TLB_FLUSH_BATCH_PENDING_LARGE = TLB_FLUSH_BATCH_PENDING_MASK >> 1

/** Whether it pays: other CPUs must flush, too. */
export function should_defer_flush(mm: Mm, flags: number): boolean {
  return (flags & TTU_BATCH_FLUSH) !== 0 && mm_has_other_cpus(mm)
}

/**
 * An entry of `mm` is gone and its flush deferred; `writable`: it may be dirty in a TLB. Under the lock of its table.
 */
export function set_tlb_ubc_flush_pending(mm: Mm, writable: boolean): void {
  arch_tlbbatch_add_mm(mm)
  this_cpu_write(tlb_ubc$flush_required, 1)
  const batched = mm + mm$tlb_flush_batched
  for (let batch = atomic_load(batched); ;) {
    const large = (batch & TLB_FLUSH_BATCH_PENDING_MASK) > TLB_FLUSH_BATCH_PENDING_LARGE
    if (!large) {
      atomic_fetch_add(batched, 1)
      break
    }
    // Starts anew: one is pending, none made up for.
    const seen = cmpxchg(batched, batch, 1)
    if (seen === batch) break
    batch = seen
  }
  if (writable) this_cpu_write(tlb_ubc$writable, 1)
}

/** Flushes what this CPU has deferred. */
export function try_to_unmap_flush(): void {
  if (this_cpu_read(tlb_ubc$flush_required) === 0) return
  arch_tlbbatch_flush()
  this_cpu_write(tlb_ubc$flush_required, 0)
  this_cpu_write(tlb_ubc$writable, 0)
}

/** The same, if a TLB may let a CPU go on writing. */
export function try_to_unmap_flush_dirty(): void {
  if (this_cpu_read(tlb_ubc$writable) !== 0) try_to_unmap_flush()
}

/** Makes up for what reclaim has deferred of `mm`. Under the lock of a table, before entries of it are looked at. */
export function flush_tlb_batched_pending(mm: Mm): void {
  const batch = atomic_load(mm + mm$tlb_flush_batched)
  const pending = batch & TLB_FLUSH_BATCH_PENDING_MASK
  if (pending === batch >> TLB_FLUSH_BATCH_FLUSHED_SHIFT) return
  flush_tlb_mm(mm)
  // One that was deferred meanwhile stays pending.
  cmpxchg(mm + mm$tlb_flush_batched, batch, pending | (pending << TLB_FLUSH_BATCH_FLUSHED_SHIFT))
}
