/**
 * mmap_lock (include/linux/mmap_lock.h, 6.6, which for VMA_LOCK=n is 6.1's). With VMA_LOCK=y the end of a write section
 * unlocks all VMAs that were locked in it. Left out: the write lock's trylock.
 */
import { VMA_LOCK } from '#config'
import type { Mm, Rwsem } from '../arch/structs.ts'
import { mm$mmap_lock } from '../arch/structs.ts'
import {
  down_read,
  down_read_trylock,
  down_write_nested,
  downgrade_write,
  up_read,
  up_write,
} from '../locking/rwsem.ts'
import { vma_end_write_all } from './vma_lock.ts'

export function mmap_read_lock(mm: Mm): void {
  down_read((mm + mm$mmap_lock) as Rwsem)
}

export function mmap_read_trylock(mm: Mm): boolean {
  return down_read_trylock((mm + mm$mmap_lock) as Rwsem)
}

export function mmap_read_unlock(mm: Mm): void {
  up_read((mm + mm$mmap_lock) as Rwsem)
}

export function mmap_write_lock(mm: Mm): void {
  mmap_write_lock_nested(mm, 0)
}

/** mmap_write_lock while another mm's is held. */
export function mmap_write_lock_nested(mm: Mm, subclass: number): void {
  down_write_nested((mm + mm$mmap_lock) as Rwsem, subclass)
}

export function mmap_write_unlock(mm: Mm): void {
  if (VMA_LOCK) vma_end_write_all(mm)
  up_write((mm + mm$mmap_lock) as Rwsem)
}

/** Turns the write lock into a read lock: faults come in, other changes of the map do not. */
export function mmap_write_downgrade(mm: Mm): void {
  if (VMA_LOCK) vma_end_write_all(mm)
  downgrade_write((mm + mm$mmap_lock) as Rwsem)
}
