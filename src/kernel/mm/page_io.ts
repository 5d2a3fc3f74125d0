/**
 * Reading and writing of swap (mm/page_io.c, 6.1). A device is memory, with a latency and with failures that a scenario
 * sets. The CPU that asks for I/O does it: a read before it unlocks the page, a write after that, under PG_writeback,
 * but on a device as fast as memory (SWP_SYNCHRONOUS_IO) before it. Left out: swap files, bios, frontswap.
 */
import { atomic_fetch_add } from '#atomic'
import { copy_words, load, READ_ONCE } from '../arch/access.ts'
import { VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { ndelay } from '../arch/delay.ts'
import { CONTENT_WORDS } from '../arch/memory_map.ts'
import { page_to_pfn } from '../arch/pgtable.ts'
import type { Page, SwapInfo, SwpEntry } from '../arch/structs.ts'
import {
  page$private,
  PG_dirty,
  PG_error,
  PG_writeback,
  swap_info$fail_reads,
  swap_info$fail_writes,
  swap_info$flags,
  swap_info$latency,
  swap_info$nr_reads,
  swap_info$nr_writes,
  SWP_SYNCHRONOUS_IO,
} from '../arch/structs.ts'
import { page_address } from '../arch/uaccess.ts'
import { PageLocked, PageUptodate, SetPageFlag, SetPageUptodate } from './mm.ts'
import { end_page_writeback, unlock_page } from './page_lock.ts'
import { should_fail } from './slab.ts'
import { swap_content, swp_swap_info } from './swapfile/swap_info.ts'
import { try_to_free_swap } from './swapfile/swap_map.ts'
import { count_vm_event, PSWPIN, PSWPOUT, SWAP_READ_ERRORS, SWAP_WRITE_ERRORS } from './vmstat.ts'

/** Whether this operation of the device is one that fails: every `every`-th (0: none), counted at `nr`. */
function io_fails(every: number, nr: number): boolean {
  if (should_fail()) return true
  return every !== 0 && (atomic_fetch_add(nr, 1) + 1) % every === 0
}

/**
 * Reads the slot that page$private names into the locked page, and unlocks it: uptodate, or not if the device failed.
 */
export function swap_readpage(page: Page): void {
  VM_BUG_ON_PAGE(!PageLocked(page) || PageUptodate(page), page)
  const entry = load(page + page$private) as SwpEntry
  const si = swp_swap_info(entry)
  count_vm_event(PSWPIN)
  ndelay(READ_ONCE(si + swap_info$latency))
  if (io_fails(READ_ONCE(si + swap_info$fail_reads), si + swap_info$nr_reads)) {
    count_vm_event(SWAP_READ_ERRORS)
    SetPageFlag(page, PG_error)
  } else {
    copy_words(page_address(page_to_pfn(page)), swap_content(entry), CONTENT_WORDS)
    SetPageUptodate(page)
  }
  unlock_page(page)
}

/**
 * Copies the page to its slot and ends its writeback; a page that could not be written is dirty again
 * (end_swap_bio_write).
 */
function swap_write(page: Page, entry: SwpEntry, si: SwapInfo): void {
  ndelay(READ_ONCE(si + swap_info$latency))
  if (io_fails(READ_ONCE(si + swap_info$fail_writes), si + swap_info$nr_writes)) {
    count_vm_event(SWAP_WRITE_ERRORS)
    SetPageFlag(page, PG_error | PG_dirty)
  } else copy_words(swap_content(entry), page_address(page_to_pfn(page)), CONTENT_WORDS)
  end_page_writeback(page)
}

/**
 * Writes a locked page of the swap cache to its slot, unless no entry names that any more; the page is unlocked then.
 */
export function swap_writepage(page: Page): void {
  if (try_to_free_swap(page)) {
    unlock_page(page)
    return
  }
  const entry = load(page + page$private) as SwpEntry
  const si = swp_swap_info(entry)
  count_vm_event(PSWPOUT)
  SetPageFlag(page, PG_writeback)
  // swapoff changes another of its bits meanwhile.
  const synchronous = (READ_ONCE(si + swap_info$flags) & SWP_SYNCHRONOUS_IO) !== 0
  if (!synchronous) unlock_page(page)
  swap_write(page, entry, si)
  if (synchronous) unlock_page(page)
}
