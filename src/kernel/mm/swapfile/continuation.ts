/**
 * Counts of slots above SWAP_MAP_MAX (mm/swapfile.c, 6.1): add_swap_count_continuation, swap_count_continued and
 * free_swap_count_continuations. The digits above lie in continuation pages, one word a slot, one page for each
 * CONTENT_WORDS slots and digit. A page is linked through page$lru_next; the first is named by SWAP_CONT, whose list
 * cont_lock guards.
 */
import { load, store, WRITE_ONCE } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import { SWAPFILE_SLOTS } from '../../arch/limits.ts'
import { CONTENT_WORDS, SWAP_CONT } from '../../arch/memory_map.ts'
import { page_to_pfn } from '../../arch/pgtable.ts'
import type { Page, Spinlock, SwpEntry } from '../../arch/structs.ts'
import {
  COUNT_CONTINUED,
  page$lru_next,
  SWAP_CONT_MAX,
  SWAP_HAS_CACHE,
  swap_info$cont_lock,
  swap_info$flags,
  swap_info$lock,
  SWP_CONTINUED,
} from '../../arch/structs.ts'
import { swp_type } from '../../arch/swapops.ts'
import { page_address } from '../../arch/uaccess.ts'
import { SWAP_MAP_MAX } from '#config'
import { ENOMEM } from '../../errno.ts'
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts'
import { put_page } from '../mm.ts'
import { alloc_page } from '../page_alloc.ts'
import { count_vm_event, RETRY_add_swap_count_continuation, SWAP_COUNT_CONTINUATIONS } from '../vmstat.ts'
import {
  get_swap_device,
  lock_cluster,
  put_swap_device,
  swap_cont,
  swap_info,
  swap_map,
  swap_slot,
  unlock_cluster,
} from './swap_info.ts'

/** The slot's digit in a continuation page. */
function cont_word(page: number, entry: SwpEntry): number {
  return page_address(page_to_pfn(page as Page)) + (swap_slot(entry) % CONTENT_WORDS)
}

/**
 * Gives the slot's count room for one more digit. The caller holds no lock and has found swap_duplicate to fail with
 * -ENOMEM; it tries again afterwards. Returns 0, also where it turns out not to be needed, or -ENOMEM.
 */
export function add_swap_count_continuation(entry: SwpEntry, gfp: number): number {
  // Allocated first, since it may sleep.
  const page = alloc_page(gfp)
  const si = get_swap_device(entry)
  if (si === 0) {
    // Taken away since: so is the entry.
    if (page !== 0) put_page(page)
    return 0
  }
  spin_lock((si + swap_info$lock) as Spinlock)
  const ci = lock_cluster(entry)
  const count = load(swap_map(entry)) & ~SWAP_HAS_CACHE
  let error = 0
  let attached = false
  if ((count & ~COUNT_CONTINUED) === SWAP_MAP_MAX) {
    if (page === 0) error = -ENOMEM
    else attached = attach_continuation(entry, count, page)
  }
  if (error === 0 && !attached) count_vm_event(RETRY_add_swap_count_continuation)
  unlock_cluster(ci)
  spin_unlock((si + swap_info$lock) as Spinlock)
  put_swap_device(si)
  if (page !== 0 && !attached) put_page(page)
  return error
}

/**
 * Puts `page` behind the continuation pages of the slot's part of the map; false if one of them has room for the slot.
 */
function attach_continuation(entry: SwpEntry, count: number, page: Page): boolean {
  const si = swap_info(swp_type(entry))
  const cont_lock = (si + swap_info$cont_lock) as Spinlock
  let full = true
  let link = swap_cont(entry)
  spin_lock(cont_lock)
  // Read without the lock elsewhere, for other bits.
  WRITE_ONCE(si + swap_info$flags, load(si + swap_info$flags) | SWP_CONTINUED)
  for (let each = load(link); each !== 0 && full; each = load(link)) {
    // Not continued yet, but a page is there for a neighbour: it serves this slot, too.
    if ((count & COUNT_CONTINUED) === 0) full = false
    else {
      count = load(cont_word(each, entry))
      full = (count & ~COUNT_CONTINUED) === SWAP_CONT_MAX
    }
    link = each + page$lru_next
  }
  if (full) {
    store(page + page$lru_next, 0)
    store(link, page)
    count_vm_event(SWAP_COUNT_CONTINUATIONS)
  }
  spin_unlock(cont_lock)
  return full
}

/** Sets the digits below `last` of a slot to `word`, what `last`'s neighbour gets to `first`. */
function set_lower_digits(entry: SwpEntry, last: number, word: number, first: number): void {
  let before = load(swap_cont(entry))
  while (before !== last) {
    const next = load(before + page$lru_next)
    store(cont_word(before, entry), next === last ? first : word)
    before = next
  }
}

/**
 * Adds one to the digits above the swap map's word `count`, or takes one from them: adds if that word is full. Under
 * the cluster's lock. Returns, after adding, whether there was room; after taking, whether any digit above is left.
 */
export function swap_count_continued(entry: SwpEntry, count: number): boolean {
  const cont_lock = (swap_info(swp_type(entry)) + swap_info$cont_lock) as Spinlock
  spin_lock(cont_lock)
  const ret =
    (count & ~COUNT_CONTINUED) === SWAP_MAP_MAX
      ? swap_count_carry(entry, count)
      : swap_count_borrow(entry, count)
  spin_unlock(cont_lock)
  return ret
}

/** As one adds 1 to 999. */
function swap_count_carry(entry: SwpEntry, count: number): boolean {
  let page = load(swap_cont(entry))
  if (page === 0) {
    BUG_ON((count & COUNT_CONTINUED) !== 0)
    return false
  }
  // The first digit above: whatever the page held for this slot counts for nothing.
  let fresh = count === SWAP_MAP_MAX
  if (!fresh) {
    while (load(cont_word(page, entry)) === (SWAP_CONT_MAX | COUNT_CONTINUED)) {
      page = load(page + page$lru_next)
      BUG_ON(page === 0)
    }
    if (load(cont_word(page, entry)) === SWAP_CONT_MAX) {
      page = load(page + page$lru_next)
      if (page === 0) return false
      fresh = true
    }
  }
  const word = cont_word(page, entry)
  store(word, (fresh ? 0 : load(word)) + 1)
  set_lower_digits(entry, page, COUNT_CONTINUED, COUNT_CONTINUED)
  return true
}

/** As one takes 1 from 1000. */
function swap_count_borrow(entry: SwpEntry, count: number): boolean {
  BUG_ON(count !== COUNT_CONTINUED)
  let page = load(swap_cont(entry))
  BUG_ON(page === 0)
  while (load(cont_word(page, entry)) === COUNT_CONTINUED) {
    page = load(page + page$lru_next)
    BUG_ON(page === 0)
  }
  const word = cont_word(page, entry)
  const digit = load(word)
  BUG_ON(digit === 0)
  store(word, digit - 1)
  // The highest digit has become 0: the one below it is the highest now.
  const ended = digit - 1 === 0
  const below = page !== load(swap_cont(entry))
  set_lower_digits(
    entry,
    page,
    SWAP_CONT_MAX | COUNT_CONTINUED,
    SWAP_CONT_MAX | (ended ? 0 : COUNT_CONTINUED),
  )
  return !ended || below
}

/** Frees the continuation pages of a device that has no entry left. */
export function free_swap_count_continuations(type: number): void {
  const first = SWAP_CONT + Math.trunc((type * SWAPFILE_SLOTS) / CONTENT_WORDS)
  for (let i = 0; i < SWAPFILE_SLOTS / CONTENT_WORDS; i++) {
    let page = load(first + i) as Page
    store(first + i, 0)
    while (page !== 0) {
      const next = load(page + page$lru_next) as Page
      put_page(page)
      page = next
    }
  }
}
