/**
 * swapoff (mm/swapfile.c, 6.1): try_to_unuse brings every page of a device back, mm by mm along mmlist, then takes what
 * is left out of the swap cache; when nothing is in use and nobody holds the device, it goes. Left out: shmem, signals,
 * KSM, memory cgroups.
 */
import { atomic_fetch_add } from '#atomic'
import { load, READ_ONCE, store, WRITE_ONCE } from '../../arch/access.ts'
import { VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import { MAX_SWAPFILES } from '../../arch/limits.ts'
import { SWAP_AREA } from '../../arch/memory_map.ts'
import {
  mk_pte,
  pmd_addr_end,
  pmd_bad,
  pte_mkold,
  pte_offset,
  ptep_get,
  set_pte_at,
} from '../../arch/pgtable.ts'
import type { Mm, Page, Pmd, PmdP, Pte, Spinlock, SwpEntry, Vma } from '../../arch/structs.ts'
import {
  mm$map_count,
  mm$mmlist_next,
  MM_ANONPAGES,
  MM_SWAPENTS,
  PG_writeback,
  swap$nr_swap_pages,
  swap$total_swap_pages,
  swap_info$flags,
  swap_info$inuse_pages,
  swap_info$lock,
  swap_info$max,
  swap_info$pages,
  swap_info$users,
  SWP_CONTINUED,
  SWP_WRITEOK,
  vma$anon_vma,
  vma$vm_end,
  vma$vm_mm,
  vma$vm_start,
} from '../../arch/structs.ts'
import {
  is_swap_pte,
  make_swapin_error_entry,
  non_swap_entry,
  pte_same_as_swp,
  pte_swp_exclusive,
  pte_swp_keep,
  pte_to_swp_entry,
  swp_entry,
  swp_entry_to_pte,
  swp_type,
} from '../../arch/swapops.ts'
import { EINVAL, ENOMEM } from '../../errno.ts'
import { mmdrop, mmget_not_zero, mmgrab, mmput } from '../../fork.ts'
import { list_next } from '../../lib/list.ts'
import { percpu_ref_kill, percpu_ref_switch_to_atomic, percpu_ref_wait } from '../../lib/percpu_refcount.ts'
import { mmap_read_lock, mmap_read_unlock } from '../mmap_lock.ts'
import { spin_lock, spin_unlock, spin_unlock_wait } from '../../locking/spinlock.ts'
import { synchronize_rcu } from '../../rcu.ts'
import { cond_resched } from '../../sched/core.ts'
import { vma_at } from '../mmap/mm_mt.ts'
import { vma_page_prot } from '../mmap/vm_page_prot.ts'
import { get_page, PageFlag, PageUptodate, put_page } from '../mm.ts'
import { lock_page, unlock_page, wait_on_page_writeback } from '../page_lock.ts'
import { pte_table_lock, pte_table_unlock } from '../ptl.ts'
import { page_add_anon_rmap } from '../rmap/page_rmap.ts'
import { mm_find_pmd } from '../rmap/walk.ts'
import { dec_mm_counter, inc_mm_counter } from '../rss.ts'
import { swap_cache_get_folio, swapin_readahead } from '../swap_state.ts'
import { count_vm_event, RETRY_unuse_pte } from '../vmstat.ts'
import { free_swap_count_continuations } from './continuation.ts'
import { drain_mmlist, init_mm_mmlist, mmlist_lock, mmlist_wait } from './mmlist.ts'
import { swap_info, swap_map, swap_users_part } from './swap_info.ts'
import { __swap_count, swap_free, try_to_free_swap, wait_on_swapcache } from './swap_map.ts'
import { enable_swap_info, swap_lock } from './swapon.ts'

/**
 * Maps the slot's locked page in the place of the entry of `addr`, if that still is the slot's. A page that could not
 * be read leaves an error.
 */
function unuse_pte(vma: Vma, pmd: Pmd, addr: number, entry: SwpEntry, page: Page): void {
  const mm = load(vma + vma$vm_mm) as Mm
  const ptep = pte_offset(pmd, addr)
  const ptl = pte_table_lock(mm, pmd, addr, addr + 1)
  const pte = ptep_get(ptep)
  if (!pte_same_as_swp(pte, entry)) {
    count_vm_event(RETRY_unuse_pte)
    pte_table_unlock(pmd, addr, addr + 1, ptl)
    return
  }
  dec_mm_counter(mm, MM_SWAPENTS)
  if (!PageUptodate(page)) set_pte_at(mm, addr, ptep, swp_entry_to_pte(make_swapin_error_entry()))
  else {
    VM_BUG_ON_PAGE(PageFlag(page, PG_writeback), page)
    inc_mm_counter(mm, MM_ANONPAGES)
    get_page(page)
    page_add_anon_rmap(page, vma, addr, pte_swp_exclusive(pte))
    set_pte_at(mm, addr, ptep, (pte_mkold(mk_pte(page, vma_page_prot(vma))) | pte_swp_keep(pte)) as Pte)
  }
  swap_free(entry)
  pte_table_unlock(pmd, addr, addr + 1, ptl)
}

/** Brings the page of one entry of the device back. Returns 0, or -ENOMEM. */
function unuse_entry(vma: Vma, pmd: Pmd, addr: number, entry: SwpEntry): number {
  let page = swap_cache_get_folio(entry)
  if (page === 0) page = swapin_readahead(entry)
  // Without a use it is about to be freed by somebody else.
  if (page === 0) return __swap_count(entry) === 0 ? 0 : -ENOMEM
  lock_page(page)
  wait_on_page_writeback(page)
  unuse_pte(vma, pmd, addr, entry, page)
  try_to_free_swap(page)
  unlock_page(page)
  put_page(page)
  return 0
}

/** Brings back what the entries of [addr, end), within one table, name of device `type`. Returns 0 or -ENOMEM. */
function unuse_pte_range(vma: Vma, pmd: Pmd, addr: number, end: number, type: number): number {
  for (; addr < end; addr++) {
    const pte = ptep_get(pte_offset(pmd, addr))
    if (!is_swap_pte(pte)) continue
    const entry = pte_to_swp_entry(pte)
    if (non_swap_entry(entry) || swp_type(entry) !== type) continue
    const error = unuse_entry(vma, pmd, addr, entry)
    if (error !== 0) return error
  }
  return 0
}

function unuse_vma(vma: Vma, type: number): number {
  const mm = load(vma + vma$vm_mm) as Mm
  const end = load(vma + vma$vm_end)
  let next = 0
  for (let addr = load(vma + vma$vm_start); addr < end; addr = next) {
    next = pmd_addr_end(addr, end)
    const pmd: PmdP = mm_find_pmd(mm, addr)
    const value = (pmd === 0 ? 0 : READ_ONCE(pmd)) as Pmd
    if (pmd_bad(value)) continue
    const error = unuse_pte_range(vma, value, addr, next, type)
    if (error !== 0) return error
  }
  return 0
}

/** Brings back all that `mm` has on the device. Returns 0 or -ENOMEM. */
function unuse_mm(mm: Mm, type: number): number {
  let error = 0
  mmap_read_lock(mm)
  const count = load(mm + mm$map_count)
  for (let i = 0; i < count && error === 0; i++) {
    const vma = vma_at(mm, i)
    if (READ_ONCE(vma + vma$anon_vma) !== 0) error = unuse_vma(vma, type)
    cond_resched()
  }
  mmap_read_unlock(mm)
  return error
}

/**
 * Goes through the mms of mmlist once. Each is held while it is worked on, so that it stays on the list and leads on.
 * One that is on its way out gives its entries up itself: at the end the first of those is waited for, where Linux
 * walks again and again. Returns 0 or -ENOMEM.
 */
function unuse_mmlist(type: number): number {
  const inuse = swap_info(type) + swap_info$inuse_pages
  let prev_mm = 0 as Mm
  let dying = 0 as Mm
  let error = 0
  spin_lock(mmlist_lock)
  let p = list_next(init_mm_mmlist)
  while (error === 0 && p !== init_mm_mmlist && READ_ONCE(inuse) !== 0) {
    const mm = (p - mm$mmlist_next) as Mm
    if (mmget_not_zero(mm)) {
      spin_unlock(mmlist_lock)
      if (prev_mm !== 0) mmput(prev_mm)
      prev_mm = mm
      error = unuse_mm(mm, type)
      spin_lock(mmlist_lock)
    } else if (dying === 0) {
      mmgrab(mm)
      dying = mm
    }
    p = list_next(p)
  }
  spin_unlock(mmlist_lock)
  if (prev_mm !== 0) mmput(prev_mm)
  if (dying !== 0) {
    mmlist_wait(dying)
    mmdrop(dying)
  }
  return error
}

/** Takes the pages that are left out of the swap cache: no entry names them any more. */
function unuse_swap_cache(type: number): void {
  const si = swap_info(type)
  const max = load(si + swap_info$max)
  for (let offset = 1; offset < max && READ_ONCE(si + swap_info$inuse_pages) !== 0; offset++) {
    const entry = swp_entry(type, offset)
    if (READ_ONCE(swap_map(entry)) === 0) continue
    const page = swap_cache_get_folio(entry)
    if (page === 0) {
      wait_on_swapcache(entry)
      continue
    }
    lock_page(page)
    wait_on_page_writeback(page)
    try_to_free_swap(page)
    unlock_page(page)
    put_page(page)
  }
}

/** Empties the device. Entries that come or move behind the walk are found by the next one. Returns 0 or -ENOMEM. */
function try_to_unuse(type: number): number {
  const inuse = swap_info(type) + swap_info$inuse_pages
  while (READ_ONCE(inuse) !== 0) {
    const error = unuse_mmlist(type)
    if (error !== 0) return error
    unuse_swap_cache(type)
    // A slot that is being freed is counted until its lock is dropped. Linux tries again at once.
    spin_unlock_wait((swap_info(type) + swap_info$lock) as Spinlock)
    cond_resched()
  }
  return 0
}

/** Stops the taking of slots; false if the device is not on, or somebody turns it off already. */
function disable_swap_info(type: number): boolean {
  const si = swap_info(type)
  spin_lock(swap_lock)
  spin_lock((si + swap_info$lock) as Spinlock)
  const flags = load(si + swap_info$flags)
  const on = (flags & SWP_WRITEOK) !== 0
  if (on) {
    const pages = load(si + swap_info$pages)
    WRITE_ONCE(si + swap_info$flags, flags & ~SWP_WRITEOK)
    atomic_fetch_add(SWAP_AREA + swap$nr_swap_pages, -pages)
    WRITE_ONCE(SWAP_AREA + swap$total_swap_pages, load(SWAP_AREA + swap$total_swap_pages) - pages)
  }
  spin_unlock((si + swap_info$lock) as Spinlock)
  spin_unlock(swap_lock)
  return on
}

/**
 * No slot of any device is in use, and none will be: under swap_lock no device is turned on. Linux looks at the slots
 * alone (drain_mmlist): one that is taken on another device right then leaves its mm off mmlist, and swapoff of that
 * device looks for it without end.
 */
function swap_is_unused(): boolean {
  for (let type = 0; type < MAX_SWAPFILES; type++) {
    const si = swap_info(type)
    if ((READ_ONCE(si + swap_info$flags) & SWP_WRITEOK) !== 0) return false
    if (READ_ONCE(si + swap_info$inuse_pages) !== 0) return false
  }
  return true
}

/**
 * Turns device `type` off. Returns 0, -EINVAL if it is not on, or -ENOMEM if its pages had no room in memory: then it
 * is on again.
 */
export function do_swapoff(type: number): number {
  if (type < 0 || type >= MAX_SWAPFILES || !disable_swap_info(type)) return -EINVAL
  const si = swap_info(type)
  const error = try_to_unuse(type)
  spin_lock(swap_lock)
  spin_lock((si + swap_info$lock) as Spinlock)
  if (error !== 0) enable_swap_info(type, 0)
  spin_unlock((si + swap_info$lock) as Spinlock)
  spin_unlock(swap_lock)
  if (error !== 0) return error
  // Nobody gets hold of it any more; wait for those who have it.
  const users = si + swap_info$users
  percpu_ref_kill(users)
  // Who found it live has counted itself on its CPU by then.
  synchronize_rcu()
  percpu_ref_switch_to_atomic(users, swap_users_part(si))
  percpu_ref_wait(users)
  if ((load(si + swap_info$flags) & SWP_CONTINUED) !== 0) free_swap_count_continuations(type)
  spin_lock(swap_lock)
  spin_lock((si + swap_info$lock) as Spinlock)
  if (swap_is_unused()) drain_mmlist()
  WRITE_ONCE(si + swap_info$max, 0)
  store(si + swap_info$pages, 0)
  WRITE_ONCE(si + swap_info$flags, 0)
  spin_unlock((si + swap_info$lock) as Spinlock)
  spin_unlock(swap_lock)
  return 0
}
