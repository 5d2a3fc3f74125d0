/**
 * What every page-table-lock design shares: the locks of its machine-wide area, and the count of distinct locks that
 * were taken for page tables.
 */
import { KMEM_CACHES, MEMMAP, MMS, PTLOCK_AREA } from '../arch/memory_map.ts'
import { NR_PAGES } from '#config'
import { stat } from '../arch/machine.ts'
import { MM_WORDS, type Spinlock } from '../arch/structs.ts'
import { PTLOCK_WORDS } from '#ptlock'
import { STAT_LOCK } from '../mm/vmstat.ts'
import { LOCK_CLASS_ptlock } from './lock_class.ts'
import { spin_lock_init } from './spinlock.ts'

/**
 * Boot: makes the design's area a row of free locks, one a line of 16 words. A design that wants none has PTLOCK_WORDS
 * 0.
 */
export function ptlock_area_init(): void {
  for (let lock = PTLOCK_AREA; lock < PTLOCK_AREA + PTLOCK_WORDS; lock += 16)
    spin_lock_init(lock as Spinlock, LOCK_CLASS_ptlock)
}

/**
 * Notes that `lock` is taken for a page table: sets its bit in this CPU's bitmap outside the machine
 * (src/inspect/ptl_words.ts adds them up). Called where mm takes a lock that the design returned, so it holds for
 * users' designs, and with LOCK_STAT=n. A lock is known by its address: in a struct page, in the design's area, or in a
 * mm; a page that serves as one table after another has one lock word.
 */
export function count_ptl_taken(lock: number): void {
  let bit = 0
  if (lock >= MEMMAP) bit = (lock - MEMMAP) >>> 4
  else if (lock < KMEM_CACHES) bit = NR_PAGES + lock - PTLOCK_AREA
  else bit = NR_PAGES + PTLOCK_WORDS + Math.floor((lock - MMS) / MM_WORDS)
  const at = STAT_LOCK + (bit >>> 5)
  const mask = 1 << (bit & 31)
  if ((stat[at] & mask) === 0) stat[at] = stat[at] | mask
}
