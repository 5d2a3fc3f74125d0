/**
 * Sequence counts (include/linux/seqlock.h, 6.1: seqcount_t): a reader without a lock notices that a writer was there.
 * The count is odd while somebody writes; writers keep each other out by a lock of their own. What a reader loads in
 * between may not belong together, so it loads it by data_race.
 */
import { atomic_fetch_add } from '#atomic'
import { smp_load_acquire, smp_rmb } from '../arch/barrier.ts'

/** Begins to write. Atomic, since the JIT may leave out a plain store that another follows. */
export function write_seqcount_begin(seqcount: number): void {
  atomic_fetch_add(seqcount, 1)
}

export function write_seqcount_end(seqcount: number): void {
  atomic_fetch_add(seqcount, 1)
}

/** Begins to read; if somebody is writing, read_seqcount_retry will say so. */
export function raw_seqcount_begin(seqcount: number): number {
  return smp_load_acquire(seqcount) & ~1
}

/** Whether what was read since `start` may be torn. */
export function read_seqcount_retry(seqcount: number, start: number): boolean {
  smp_rmb()
  return smp_load_acquire(seqcount) !== start
}
