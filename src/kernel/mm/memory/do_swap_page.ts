/**
 * A fault on an entry that is not present (mm/memory.c, 6.1 with 13ddaf26be32): do_swap_page brings a swapped page back
 * and hands a write over to do_wp_page; entries of other kinds are dispatched. Left out: KSM, shadows, userfaultfd
 * markers, device memory.
 */
import { COW_REUSE, MEMCG } from '#config'
import { load, READ_ONCE, this_cpu_read, this_cpu_write, WRITE_ONCE } from '../../arch/access.ts'
import { BUG, VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import { vmf$address, vmf$flags, vmf$orig_pte, vmf$pmd, vmf$pte, vmf$vma } from '../../arch/percpu.ts'
import {
  mk_pte,
  pte_mkdirty,
  pte_write,
  pte_wrprotect,
  set_pte_at,
  _PAGE_UFFD_WP,
} from '../../arch/pgtable.ts'
import type { Mm, Page, PmdP, Pte, PteP, SwapInfo, SwpEntry, Vma } from '../../arch/structs.ts'
import {
  MM_ANONPAGES,
  MM_SWAPENTS,
  page$private,
  PG_locked,
  PG_lru,
  PG_swapbacked,
  PG_swapcache,
  PG_writeback,
  swap_info$flags,
  SWP_STABLE_WRITES,
  SWP_SYNCHRONOUS_IO,
  vma$vm_mm,
} from '../../arch/structs.ts'
import {
  is_migration_entry,
  non_swap_entry,
  pte_swp_exclusive,
  pte_swp_keep,
  pte_to_swp_entry,
  SWP_HWPOISON,
  SWP_PTE_MARKER,
  swp_kind,
} from '../../arch/swapops.ts'
import { mmap_read_unlock } from '../mmap_lock.ts'
import { GFP_HIGHUSER_MOVABLE } from '../gfp.ts'
import { mem_cgroup_charge } from '../memcontrol.ts'
import { migration_entry_wait } from '../migrate.ts'
import { vma_page_prot } from '../mmap/vm_page_prot.ts'
import { __SetPageFlag, page_ref_count, PageAnon, PageFlag, PageUptodate, put_page } from '../mm.ts'
import { alloc_page } from '../page_alloc.ts'
import { swap_readpage } from '../page_io.ts'
import { lock_page, trylock_page, unlock_page, wait_on_page_locked } from '../page_lock.ts'
import { page_add_anon_rmap, PageAnonExclusive } from '../rmap/page_rmap.ts'
import { dec_mm_counter_fast, inc_mm_counter_fast } from '../rss.ts'
import { lru_add_drain, lru_cache_add } from '../swap.ts'
import { swap_cache_get_folio, swapin_readahead } from '../swap_state.ts'
import { get_swap_device, put_swap_device, vm_swap_full } from '../swapfile/swap_info.ts'
import {
  __swap_count,
  swap_free,
  swapcache_clear,
  swapcache_prepare,
  try_to_free_swap,
  wait_on_swapcache,
} from '../swapfile/swap_map.ts'
import {
  count_vm_event,
  LATENCY_do_swap_page,
  PGMAJFAULT,
  RETRY_do_swap_page,
  RETRY_do_swap_page$lock,
  RETRY_do_swap_page$swapcache,
  RETRY_do_swap_page$swapcache_prepare,
  set_fault_path,
} from '../vmstat.ts'
import { do_wp_page } from './do_wp_page.ts'
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_WRITE,
  maybe_mkwrite,
  VM_FAULT_ERROR,
  VM_FAULT_HWPOISON,
  VM_FAULT_OOM,
  VM_FAULT_RETRY,
  VM_FAULT_SIGBUS,
  vmf_mm,
  vmf_pte_changed,
  vmf_pte_lock,
  vmf_pte_unlock,
  vmf_retry_with_mmap_lock,
  vmf_vma_locked,
} from './vmf.ts'

/** A fault on an entry that is neither present nor of swap. The one marker is of a page that could
 * not be read; entries of devices have nothing here that makes them. */
function do_non_swap_entry(entry: SwpEntry): number {
  if (is_migration_entry(entry)) {
    migration_entry_wait(vmf_mm(), this_cpu_read(vmf$pmd) as PmdP, this_cpu_read(vmf$address))
    return 0
  }
  if (swp_kind(entry) === SWP_PTE_MARKER) return VM_FAULT_SIGBUS
  if (swp_kind(entry) === SWP_HWPOISON) return VM_FAULT_HWPOISON
  BUG()
}

/**
 * Whether the swap cache should give the page up, now that one entry less needs its slot: swap is short, or a write
 * could reuse it.
 */
function should_try_to_free_swap(page: Page): boolean {
  if (!PageFlag(page, PG_swapcache)) return false
  if (vm_swap_full()) return true
  return (this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0 && page_ref_count(page) === 2
}

/**
 * Locks the page; the first time by dropping mmap_lock and waiting, and then false is returned: the fault starts again.
 */
function folio_lock_or_retry(page: Page, mm: Mm): boolean {
  if (trylock_page(page)) return true
  const flags = this_cpu_read(vmf$flags)
  if ((flags & FAULT_FLAG_ALLOW_RETRY) !== 0 && (flags & FAULT_FLAG_TRIED) === 0) {
    count_vm_event(RETRY_do_swap_page$lock)
    mmap_read_unlock(mm)
    wait_on_page_locked(page)
    return false
  }
  lock_page(page)
  return true
}

/** Reads the slot into a page that nobody else will find. The slot is marked as being read; 0: no memory. */
function swapin_skip_cache(entry: SwpEntry): Page {
  const page = alloc_page(GFP_HIGHUSER_MOVABLE)
  if (page === 0) return page
  if (MEMCG && mem_cgroup_charge(page, vmf_mm()) !== 0) {
    put_page(page)
    return 0 as Page
  }
  __SetPageFlag(page, PG_locked | PG_swapbacked)
  lru_cache_add(page)
  // Where swap_readpage looks for the entry.
  WRITE_ONCE(page + page$private, entry)
  swap_readpage(page)
  WRITE_ONCE(page + page$private, 0)
  return page
}

/**
 * Puts the page in the place of the swap entry. Under the PTE's lock, with the page locked; drops that and keeps the
 * former.
 */
function map_swapped_page(page: Page, swapcache: Page, entry: SwpEntry, si: SwapInfo): void {
  const vma = this_cpu_read(vmf$vma) as Vma
  const mm = load(vma + vma$vm_mm) as Mm
  const addr = this_cpu_read(vmf$address)
  const orig_pte = this_cpu_read(vmf$orig_pte) as Pte
  // Under the lock, since fork may share the entry otherwise.
  let exclusive = pte_swp_exclusive(orig_pte)
  if (page !== swapcache) exclusive = true
  else if (
    exclusive &&
    PageFlag(page, PG_writeback) &&
    (READ_ONCE(si + swap_info$flags) & SWP_STABLE_WRITES) !== 0
  )
    // A write must not change it while it is being written: it will copy.
    exclusive = false
  swap_free(entry)
  if (should_try_to_free_swap(page)) try_to_free_swap(page)
  inc_mm_counter_fast(mm, MM_ANONPAGES)
  dec_mm_counter_fast(mm, MM_SWAPENTS)
  let pte = mk_pte(page, vma_page_prot(vma))
  const alone = exclusive || page_ref_count(page) === 1
  if (alone && (this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0) {
    pte = maybe_mkwrite(pte_mkdirty(pte), vma)
    this_cpu_write(vmf$flags, this_cpu_read(vmf$flags) & ~FAULT_FLAG_WRITE)
  }
  pte = (pte | pte_swp_keep(orig_pte)) as Pte
  if ((pte & _PAGE_UFFD_WP) !== 0) pte = pte_wrprotect(pte)
  this_cpu_write(vmf$orig_pte, pte)
  page_add_anon_rmap(page, vma, addr, alone)
  VM_BUG_ON_PAGE(!PageAnon(page) || (COW_REUSE === 0 && pte_write(pte) && !PageAnonExclusive(page)), page)
  set_pte_at(mm, addr, this_cpu_read(vmf$pte) as PteP, pte)
  unlock_page(page)
}

/**
 * Maps the page that was found or read: `swapcache` the same page if it came from the swap cache, else 0. Locks it and
 * looks again: it must still be the slot's, and the entry must still be there. Consumes the reference. Returns
 * VM_FAULT_ bits.
 */
function finish_swap_page(page: Page, swapcache: Page, entry: SwpEntry, si: SwapInfo): number {
  if (!folio_lock_or_retry(page, vmf_mm())) {
    put_page(page)
    return VM_FAULT_RETRY
  }
  // It may have left the swap cache before it was locked, and be there again for another slot.
  if (swapcache !== 0 && (!PageFlag(page, PG_swapcache) || load(page + page$private) !== entry)) {
    count_vm_event(RETRY_do_swap_page$swapcache)
    unlock_page(page)
    put_page(page)
    return 0
  }
  // A write counts the references of a page of the swap cache: the one of this CPU's batch must not be among them.
  const write = (this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0
  if (write && swapcache !== 0 && !PageFlag(page, PG_lru)) lru_add_drain()
  const ptep = vmf_pte_lock()
  const same = !vmf_pte_changed(ptep)
  if (!same) count_vm_event(RETRY_do_swap_page)
  if (!same || !PageUptodate(page)) {
    vmf_pte_unlock()
    unlock_page(page)
    put_page(page)
    return same ? VM_FAULT_SIGBUS : 0
  }
  map_swapped_page(page, swapcache, entry, si)
  if ((this_cpu_read(vmf$flags) & FAULT_FLAG_WRITE) !== 0) {
    const ret = do_wp_page()
    return (ret & VM_FAULT_ERROR) !== 0 ? ret & VM_FAULT_ERROR : ret
  }
  vmf_pte_unlock()
  return 0
}

/** No page could be had: out of memory, unless another CPU has brought it in meanwhile. */
function swapin_failed(): number {
  const ptep = vmf_pte_lock()
  const same = !vmf_pte_changed(ptep)
  if (!same) count_vm_event(RETRY_do_swap_page)
  vmf_pte_unlock()
  return same ? VM_FAULT_OOM : 0
}

/**
 * With the device held: the page from the swap cache, or read into it, or read past it where that is as fast as memory.
 */
function do_swap_page_of(entry: SwpEntry, si: SwapInfo): number {
  const found = swap_cache_get_folio(entry)
  if (found !== 0) return finish_swap_page(found, found, entry, si)
  if ((READ_ONCE(si + swap_info$flags) & SWP_SYNCHRONOUS_IO) === 0 || __swap_count(entry) !== 1) {
    const page = swapin_readahead(entry)
    if (page === 0) return swapin_failed()
    count_vm_event(PGMAJFAULT)
    return finish_swap_page(page, page, entry, si)
  }
  // Two CPUs that both read past the cache: the first could map and free the slot, and another page come to it, before
  // the second looks at the entry again. So the slot is marked as if it were in the cache.
  if (swapcache_prepare(entry) !== 0) {
    count_vm_event(RETRY_do_swap_page$swapcache_prepare)
    wait_on_swapcache(entry)
    return 0
  }
  const page = swapin_skip_cache(entry)
  let ret = 0
  if (page === 0) ret = swapin_failed()
  else {
    count_vm_event(PGMAJFAULT)
    ret = finish_swap_page(page, 0 as Page, entry, si)
  }
  // After the entry's lock was dropped.
  swapcache_clear(entry)
  return ret
}

/** A fault on an entry that is not present; vmf$orig_pte is what was read without the lock. Returns VM_FAULT_ bits. */
export function do_swap_page(): number {
  set_fault_path(LATENCY_do_swap_page)
  // 6.4 to 6.6: what swap does is not safe under the VMA's lock alone yet.
  if (vmf_vma_locked()) return vmf_retry_with_mmap_lock()
  const entry = pte_to_swp_entry(this_cpu_read(vmf$orig_pte) as Pte)
  if (non_swap_entry(entry)) return do_non_swap_entry(entry)
  const si = get_swap_device(entry)
  // swapoff has the device: the entry is gone, or the next look finds it so.
  if (si === 0) return 0
  const ret = do_swap_page_of(entry, si)
  put_swap_device(si)
  return ret
}
