/**
 * A write to a present page that denies it (mm/memory.c, 6.1): do_wp_page with wp_page_reuse, wp_page_copy,
 * wp_page_shared. COW_REUSE chooses how an unshared anonymous page is recognised: by PageAnonExclusive (5.19 on), by
 * its reference count (5.8), by its map count (before). Left out: KSM, FAULT_FLAG_UNSHARE, wp_pfn_shared, mmu
 * notifiers.
 */
import { COW_REUSE, MEMCG, SWAP } from '#config'
import { copy_words, load, READ_ONCE, this_cpu_read, this_cpu_write } from '../../arch/access.ts'
import { VM_BUG_ON_PAGE } from '../../arch/bug.ts'
import { CONTENT_WORDS, machine$zero_page } from '../../arch/memory_map.ts'
import { vmf$address, vmf$orig_pte, vmf$page, vmf$pte, vmf$vma } from '../../arch/percpu.ts'
import {
  mk_pte,
  page_to_pfn,
  pte_mkdirty,
  pte_mkyoung,
  pte_pfn,
  ptep_get_and_clear,
  set_pte_at,
} from '../../arch/pgtable.ts'
import type { Mm, Page, Pte, PteP, Vma } from '../../arch/structs.ts'
import {
  MM_ANONPAGES,
  PG_lru,
  PG_swapcache,
  PG_writeback,
  vma$anon_vma,
  vma$vm_flags,
  vma$vm_mm,
  VM_SHARED,
  VM_WRITE,
} from '../../arch/structs.ts'
import { flush_tlb_page } from '../../arch/tlb.ts'
import { page_address } from '../../arch/uaccess.ts'
import { GFP_HIGHUSER_MOVABLE } from '../gfp.ts'
import { mem_cgroup_charge } from '../memcontrol.ts'
import { vm_get_page_prot } from '../mmap/vm_page_prot.ts'
import {
  __SetPageUptodate,
  get_page,
  page_mapcount,
  page_ref_count,
  PageAnon,
  PageFlag,
  put_page,
} from '../mm.ts'
import { alloc_page } from '../page_alloc.ts'
import { lock_page, trylock_page, unlock_page } from '../page_lock.ts'
import { anon_vma_prepare } from '../rmap/anon_vma_prepare.ts'
import {
  page_add_new_anon_rmap,
  page_move_anon_rmap,
  page_remove_rmap,
  PageAnonExclusive,
} from '../rmap/page_rmap.ts'
import { dec_mm_counter_fast, inc_mm_counter_fast, mm_counter_file } from '../rss.ts'
import { lru_add_drain, lru_cache_add } from '../swap.ts'
import { free_swap_cache } from '../swap_state.ts'
import { page_swapcount, try_to_free_swap } from '../swapfile/swap_map.ts'
import {
  count_vm_event,
  COW_COPIES,
  LATENCY_wp_page_copy,
  LATENCY_wp_page_reuse,
  LATENCY_wp_page_shared,
  PGREUSE,
  RETRY_do_wp_page,
  RETRY_finish_mkwrite_fault,
  RETRY_wp_page_copy,
  set_fault_path,
} from '../vmstat.ts'
import { do_page_mkwrite, fault_dirty_shared_page, wants_page_mkwrite } from './do_fault.ts'
import { alloc_zeroed_user_highpage_movable } from './do_anonymous_page.ts'
import {
  maybe_mkwrite,
  vm_normal_page,
  VM_FAULT_ERROR,
  VM_FAULT_NOPAGE,
  VM_FAULT_OOM,
  vmf_pte_changed,
  vmf_pte_lock,
  vmf_pte_unlock,
  vmf_retry_with_mmap_lock,
  vmf_vma_locked,
} from './vmf.ts'

const REUSE_EXCLUSIVE = 0
const REUSE_REFCOUNT = 1

/** Clears a PTE and flushes it everywhere, under its lock (mm/pgtable-generic.c). Returns what it held. */
export function ptep_clear_flush(mm: Mm, addr: number, ptep: PteP): Pte {
  const pte = ptep_get_and_clear(mm, addr, ptep)
  flush_tlb_page(mm, addr)
  return pte
}

/** Makes the page that is mapped writable. Takes the lock along and drops it. */
function wp_page_reuse(): void {
  const vma = this_cpu_read(vmf$vma) as Vma
  const entry = maybe_mkwrite(pte_mkdirty(pte_mkyoung(this_cpu_read(vmf$orig_pte) as Pte)), vma)
  set_fault_path(LATENCY_wp_page_reuse)
  set_pte_at(load(vma + vma$vm_mm) as Mm, this_cpu_read(vmf$address), this_cpu_read(vmf$pte) as PteP, entry)
  vmf_pte_unlock()
  count_vm_event(PGREUSE)
}

/** A copy of what the PTE maps: of `old`, or zeroes for the zero page; 0 if there is no memory. */
function wp_page_new(vma: Vma, addr: number, old: Page): Page {
  if (old === 0) return alloc_zeroed_user_highpage_movable(vma, addr)
  const page = alloc_page(GFP_HIGHUSER_MOVABLE)
  if (page !== 0) copy_words(page_address(page_to_pfn(page)), page_address(page_to_pfn(old)), CONTENT_WORDS)
  return page
}

/**
 * Copies the page and maps the copy. Called without the lock, with a reference to the old page (0: the zero page).
 */
function wp_page_copy(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const mm = load(vma + vma$vm_mm) as Mm
  const addr = this_cpu_read(vmf$address)
  const old = this_cpu_read(vmf$page) as Page
  set_fault_path(LATENCY_wp_page_copy)
  let page = anon_vma_prepare(vma) ? (0 as Page) : wp_page_new(vma, addr, old)
  if (MEMCG && page !== 0 && mem_cgroup_charge(page, mm) !== 0) {
    put_page(page)
    page = 0 as Page
  }
  if (page === 0) {
    if (old !== 0) put_page(old)
    return VM_FAULT_OOM
  }
  __SetPageUptodate(page)

  const ptep = vmf_pte_lock()
  const same = !vmf_pte_changed(ptep)
  if (same) {
    count_vm_event(COW_COPIES)
    if (old === 0) inc_mm_counter_fast(mm, MM_ANONPAGES)
    else if (!PageAnon(old)) {
      dec_mm_counter_fast(mm, mm_counter_file(old))
      inc_mm_counter_fast(mm, MM_ANONPAGES)
    }
    const entry = maybe_mkwrite(
      pte_mkdirty(pte_mkyoung(mk_pte(page, vm_get_page_prot(load(vma + vma$vm_flags))))),
      vma,
    )
    // Cleared and flushed before the new page appears: no CPU may see the old one once another sees the new.
    ptep_clear_flush(mm, addr, ptep)
    page_add_new_anon_rmap(page, vma, addr)
    if (SWAP) lru_cache_add(page)
    set_pte_at(mm, addr, ptep, entry)
    // Only now may whoever counts mappings find the old page unmapped and reuse it.
    if (old !== 0) page_remove_rmap(old)
  } else count_vm_event(RETRY_wp_page_copy)
  // The copy has the mapping's reference now, and the old page's is left over; or nobody needs the copy.
  const rest = same ? old : page
  if (rest !== 0) put_page(rest)
  vmf_pte_unlock()
  if (old !== 0) {
    if (SWAP && same) free_swap_cache(old)
    put_page(old)
  }
  return 0
}

/** Makes the PTE writable after page_mkwrite, if it still is the one that faulted (finish_mkwrite_fault). */
function finish_mkwrite_fault(): number {
  const ptep = vmf_pte_lock()
  if (vmf_pte_changed(ptep)) {
    count_vm_event(RETRY_finish_mkwrite_fault)
    vmf_pte_unlock()
    return VM_FAULT_NOPAGE
  }
  wp_page_reuse()
  return 0
}

/** A write to a shared mapping: the object may want to know first. With the lock, which it drops. */
function wp_page_shared(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const page = this_cpu_read(vmf$page) as Page
  set_fault_path(LATENCY_wp_page_shared)
  get_page(page)
  if (wants_page_mkwrite(vma)) {
    vmf_pte_unlock()
    if (vmf_vma_locked()) {
      put_page(page)
      return vmf_retry_with_mmap_lock()
    }
    const ret = do_page_mkwrite(page)
    if (ret === 0 || (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE)) !== 0) {
      put_page(page)
      return ret & VM_FAULT_ERROR
    }
    if (finish_mkwrite_fault() !== 0) {
      unlock_page(page)
      put_page(page)
      return 0
    }
  } else {
    wp_page_reuse()
    lock_page(page)
  }
  fault_dirty_shared_page(page)
  put_page(page)
  return 0
}

/**
 * Whether an anonymous page is this mapping's alone (COW_REUSE=exclusive and refcount). Under the PTE's lock. The swap
 * cache's reference does not count if the cache can give the page up.
 */
function wp_can_reuse_anon_page(page: Page, vma: Vma): boolean {
  if (COW_REUSE === REUSE_EXCLUSIVE && PageAnonExclusive(page)) return true
  const cached = SWAP && PageFlag(page, PG_swapcache) ? 1 : 0
  // A look without the page lock first: there may be little hope. The page may be in this CPU's batch, which has a
  // reference; those of other CPUs' batches cannot be told from others.
  if (SWAP && page_ref_count(page) > 3) return false
  if (SWAP && !PageFlag(page, PG_lru)) lru_add_drain()
  if (page_ref_count(page) > 1 + cached || !trylock_page(page)) return false
  if (SWAP && PageFlag(page, PG_swapcache)) try_to_free_swap(page)
  const reuse = page_ref_count(page) === 1
  if (reuse) page_move_anon_rmap(page, vma)
  unlock_page(page)
  return reuse
}

/**
 * The same as it was before 5.8: by map count, under the page lock, for which the PTE's lock may have to be dropped.
 * Returns 1: reuse, 0: copy, -1: the PTE changed meanwhile and everything is unlocked.
 */
function reuse_swap_page(page: Page, vma: Vma): number {
  if (!trylock_page(page)) {
    get_page(page)
    vmf_pte_unlock()
    lock_page(page)
    const ptep = vmf_pte_lock()
    if (vmf_pte_changed(ptep)) {
      count_vm_event(RETRY_do_wp_page)
      unlock_page(page)
      vmf_pte_unlock()
      put_page(page)
      return -1
    }
    put_page(page)
  }
  let uses = page_mapcount(page)
  if (SWAP && uses === 1 && PageFlag(page, PG_swapcache)) {
    uses += page_swapcount(page)
    if (uses === 1 && !PageFlag(page, PG_writeback)) try_to_free_swap(page)
  }
  const reuse = uses === 1
  if (reuse) page_move_anon_rmap(page, vma)
  unlock_page(page)
  return reuse ? 1 : 0
}

/** Called with the PTE's lock, which it drops. Returns VM_FAULT_ bits. */
export function do_wp_page(): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const orig_pte = this_cpu_read(vmf$orig_pte) as Pte
  const page = vm_normal_page(vma, this_cpu_read(vmf$address), orig_pte)
  this_cpu_write(vmf$page, page)
  if (page === 0) {
    VM_BUG_ON_PAGE(
      pte_pfn(orig_pte) !== page_to_pfn(load(machine$zero_page) as Page),
      load(machine$zero_page) as Page,
    )
    vmf_pte_unlock()
    return wp_page_copy()
  }
  if (PageAnon(page)) {
    if (COW_REUSE <= REUSE_REFCOUNT) {
      if (wp_can_reuse_anon_page(page, vma)) {
        wp_page_reuse()
        return 0
      }
    } else {
      const reuse = reuse_swap_page(page, vma)
      if (reuse < 0) return 0
      if (reuse > 0) {
        wp_page_reuse()
        return 0
      }
    }
  } else if ((load(vma + vma$vm_flags) & (VM_WRITE | VM_SHARED)) === (VM_WRITE | VM_SHARED))
    return wp_page_shared()

  // A private copy of a file's page may be the VMA's first anonymous page, and an anon_vma is had under mmap_lock only.
  if (vmf_vma_locked() && READ_ONCE(vma + vma$anon_vma) === 0) {
    vmf_pte_unlock()
    return vmf_retry_with_mmap_lock()
  }
  // The reference keeps the page, and so its number, from being reused while the lock is dropped.
  get_page(page)
  vmf_pte_unlock()
  return wp_page_copy()
}
