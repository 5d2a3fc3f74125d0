/**
 * A thread discards swapped pages, writes them anew and pages them out while others read from a device into them. Each
 * page soon has the slot again that it had before: an entry that looks the same stands for other contents, and a page
 * that was found for the slot before is not the slot's any more.
 *
 * @config SWAP=y
 * @form cpus=2 operations=3 pages=2
 * @reaches do_swap_page, zap_nonpresent_pte, get_user_page
 * @expects pswpin, pswpout in 2
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  oracle_discard,
  oracle_dio_read,
  oracle_discarded,
  oracle_load,
  oracle_store,
  pages,
  prandom,
  sys_madvise,
  task_program,
} from 'mmtorture/kernel'
import { BASE, PAGES, share_swapped_area, WORD, WORDS } from './common/shared_swapped_area.ts'

// Programs.
const WRITER = 0
const READER = 1

export function setup(): number {
  return share_swapped_area(READER)
}

/** New contents, which go where the old ones were. */
function renew(page: number): void {
  oracle_discard(page, 1)
  BUG_ON(sys_madvise(page, 1, MADV_DONTNEED) !== 0)
  oracle_discarded(page, 1)
  oracle_store(page, 0)
  sys_madvise(page, 1, MADV_PAGEOUT)
}

/**
 * A direct read from a device into the page: its fault may not let go of mmap_lock, and sleeps until it has the page.
 */
function read_device(page: number, word: number): void {
  if (word < WORDS) oracle_dio_read(page, word)
  oracle_load(page, 0)
}

export function program(): void {
  if (last_turn()) return
  const page = get_reg(BASE) + prandom(pages(PAGES))
  if (task_program() === WRITER) renew(page)
  else read_device(page, get_reg(WORD))
}
