/**
 * Objects and their pages: the page cache (mm/filemap.c, mm/truncate.c, and of fs/inode.c what counts references, 6.1).
 * An object is an address_space together with its inode's words. Its references: one for each VMA that maps it, one for
 * whoever created it; the last one drops its pages. Files' pages are on the LRU lists, shmem's are not (as after
 * SHM_LOCK). A file reads as zeros. Left out: file systems, readahead, writeback, truncation of an object in use, large
 * folios.
 */
import { MEMCG, PAGE_BYTES, SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import {
  clear_words,
  load,
  READ_ONCE,
  store,
  this_cpu_read,
  this_cpu_write,
  WRITE_ONCE,
} from '../arch/access.ts'
import { BUG_ON, VM_BUG_ON_PAGE } from '../arch/bug.ts'
import { vmf$address, vmf$page, vmf$vma } from '../arch/percpu.ts'
import { page_to_pfn } from '../arch/pgtable.ts'
import type { AddressSpace, Mm, Page, Rwsem, Spinlock, Vma } from '../arch/structs.ts'
import {
  address_space$i_count,
  address_space$i_mmap,
  address_space$i_mmap_rwsem,
  address_space$i_pages_lock,
  address_space$i_size,
  address_space$kind,
  address_space$nrpages,
  ADDRESS_SPACE_FILE,
  page$index,
  page$mapping,
  PG_dirty,
  PG_locked,
  task$mm,
  vma$vm_mapping,
} from '../arch/structs.ts'
import { page_address } from '../arch/uaccess.ts'
import { EEXIST, ENOMEM } from '../errno.ts'
import { xa_destroy, xa_erase, xa_find, XA_INDICES, xa_load, xa_store } from '../lib/xarray.ts'
import {
  LOCK_CLASS_i_mmap_rwsem_R,
  LOCK_CLASS_i_mmap_rwsem_W,
  LOCK_CLASS_i_pages,
} from '../locking/lock_class.ts'
import { init_rwsem } from '../locking/rwsem.ts'
import { spin_lock_irq, spin_lock_init, spin_unlock_irq, spin_unlock_wait } from '../locking/spinlock.ts'
import { GFP_HIGHUSER_MOVABLE } from './gfp.ts'
import { VM_FAULT_LOCKED, VM_FAULT_OOM, VM_FAULT_SIGBUS } from './memory/vmf.ts'
import {
  __SetPageFlag,
  get_page,
  get_page_unless_zero,
  page_mapped,
  page_mapping,
  page_ref_freeze,
  page_ref_unfreeze,
  PageFlag,
  PageLocked,
  PageUptodate,
  put_page,
  SetPageUptodate,
} from './mm.ts'
import { mem_cgroup_charge } from './memcontrol.ts'
import { alloc_page } from './page_alloc.ts'
import { current } from '../sched/core.ts'
import { rcu_read_lock, rcu_read_unlock } from '../rcu.ts'
import { lock_page, trylock_page, unlock_page } from './page_lock.ts'
import { linear_page_index } from './rmap/page_rmap.ts'
import { address_space_cachep, kmem_cache_alloc, kmem_cache_free } from './slab.ts'
import { lru_cache_add } from './swap.ts'
import { count_vm_event, RETRY___remove_mapping, RETRY_filemap_fault } from './vmstat.ts'

/**
 * A new object of `npages` pages without any page yet, `kind` an ADDRESS_SPACE_ constant. The caller has its one
 * reference. 0: no memory, or more pages than the tree has room for.
 */
export function create_address_space(kind: number, npages: number): AddressSpace {
  if (npages <= 0 || npages > XA_INDICES) return 0 as AddressSpace
  const mapping = kmem_cache_alloc(address_space_cachep) as AddressSpace
  if (mapping === 0) return mapping
  const rwsem = (mapping + address_space$i_mmap_rwsem) as Rwsem
  init_rwsem(rwsem, LOCK_CLASS_i_mmap_rwsem_R, LOCK_CLASS_i_mmap_rwsem_W)
  spin_lock_init((mapping + address_space$i_pages_lock) as Spinlock, LOCK_CLASS_i_pages)
  store(mapping + address_space$kind, kind)
  store(mapping + address_space$i_count, 1)
  store(mapping + address_space$i_size, npages)
  return mapping
}

/** Takes a reference to an object that has one. */
export function igrab(mapping: AddressSpace): void {
  BUG_ON(atomic_fetch_add(mapping + address_space$i_count, 1) <= 0)
}

/** Drops a reference to the object; the last one drops its pages and frees it. */
export function iput(mapping: AddressSpace): void {
  const before = atomic_fetch_add(mapping + address_space$i_count, -1)
  BUG_ON(before <= 0)
  if (before === 1) evict(mapping)
}

function evict(mapping: AddressSpace): void {
  BUG_ON(load(mapping + address_space$i_mmap) !== 0)
  truncate_inode_pages(mapping)
  // Reclaim keeps no reference to the object, and may be taking the last page out of it under the lock
  // (truncate_inode_pages_final).
  spin_lock_irq((mapping + address_space$i_pages_lock) as Spinlock)
  BUG_ON(load(mapping + address_space$nrpages) !== 0)
  spin_unlock_irq((mapping + address_space$i_pages_lock) as Spinlock)
  xa_destroy(mapping)
  kmem_cache_free(address_space_cachep, mapping)
}

/** Removes all pages of an object that nobody maps any more. */
function truncate_inode_pages(mapping: AddressSpace): void {
  for (let index = xa_find(mapping, 0); index >= 0; index = xa_find(mapping, index + 1)) {
    const page = find_get_page(mapping, index)
    // Reclaim may be faster.
    if (page === 0) continue
    lock_page(page)
    if (READ_ONCE(page + page$mapping) === mapping) {
      VM_BUG_ON_PAGE(page_mapped(page), page)
      delete_from_page_cache(page, mapping)
      put_page(page)
    }
    unlock_page(page)
    put_page(page)
  }
}

/** Takes a locked page out of its object (filemap_remove_folio); the object's reference passes to the caller. */
function delete_from_page_cache(page: Page, mapping: AddressSpace): void {
  const i_pages_lock = (mapping + address_space$i_pages_lock) as Spinlock
  spin_lock_irq(i_pages_lock)
  __delete_from_page_cache(page, mapping)
  spin_unlock_irq(i_pages_lock)
}

function __delete_from_page_cache(page: Page, mapping: AddressSpace): void {
  VM_BUG_ON_PAGE(xa_erase(mapping, load(page + page$index)) !== page, page)
  store(mapping + address_space$nrpages, load(mapping + address_space$nrpages) - 1)
  WRITE_ONCE(page + page$mapping, 0)
}

/**
 * Takes a locked, isolated page, which is mapped nowhere, out of its object for good, its count frozen; false if
 * somebody else has a reference or wrote it, or if it is none of an object's (__remove_mapping of a file's page).
 */
export function filemap_remove_clean_page(page: Page): boolean {
  const mapping = page_mapping(page)
  if (mapping === 0) return false
  spin_lock_irq((mapping + address_space$i_pages_lock) as Spinlock)
  let frozen = page_ref_freeze(page, 2)
  if (frozen && PageFlag(page, PG_dirty)) {
    page_ref_unfreeze(page, 2)
    frozen = false
  }
  if (frozen) __delete_from_page_cache(page, mapping)
  else count_vm_event(RETRY___remove_mapping)
  spin_unlock_irq((mapping + address_space$i_pages_lock) as Spinlock)
  return frozen
}

/**
 * The object's page at `index` with a reference, or 0. Takes no lock: the page may be on its way out, so it looks
 * again.
 */
export function find_get_page(mapping: AddressSpace, index: number): Page {
  rcu_read_lock()
  const page = find_get_page_rcu(mapping, index)
  rcu_read_unlock()
  return page
}

function find_get_page_rcu(mapping: AddressSpace, index: number): Page {
  for (;;) {
    const page = xa_load(mapping, index) as Page
    if (page === 0) return page
    if (!get_page_unless_zero(page)) {
      // Frozen by reclaim, which lasts as long as the lock is held. Linux tries again at once.
      if (SWAP) spin_unlock_wait((mapping + address_space$i_pages_lock) as Spinlock)
      continue
    }
    if (xa_load(mapping, index) === page) return page
    put_page(page)
  }
}

/**
 * The object's page at `index`, locked and with a reference, if it has contents and nobody holds it locked; else 0. In
 * a section of RCU (next_uptodate_page, for one index).
 */
export function next_uptodate_page(mapping: AddressSpace, index: number): Page {
  const page = xa_load(mapping, index) as Page
  if (page === 0 || PageLocked(page) || !get_page_unless_zero(page)) return 0 as Page
  if (xa_load(mapping, index) === page && PageUptodate(page) && trylock_page(page)) {
    const valid = READ_ONCE(page + page$mapping) === mapping && PageUptodate(page)
    if (valid && index < READ_ONCE(mapping + address_space$i_size)) return page
    unlock_page(page)
  }
  put_page(page)
  return 0 as Page
}

/**
 * Makes a locked new page the object's at `index`, which takes a reference of its own.
 * Returns 0, -EEXIST if there is one already, or -ENOMEM.
 */
export function add_to_page_cache_lru(page: Page, mapping: AddressSpace, index: number): number {
  get_page(page)
  WRITE_ONCE(page + page$mapping, mapping)
  store(page + page$index, index)
  const i_pages_lock = (mapping + address_space$i_pages_lock) as Spinlock
  let error = 0
  spin_lock_irq(i_pages_lock)
  if (xa_load(mapping, index) !== 0) error = -EEXIST
  else if (xa_store(mapping, index, page)) error = -ENOMEM
  else store(mapping + address_space$nrpages, load(mapping + address_space$nrpages) + 1)
  spin_unlock_irq(i_pages_lock)
  if (error !== 0) {
    WRITE_ONCE(page + page$mapping, 0)
    put_page(page)
  } else if (SWAP && load(mapping + address_space$kind) === ADDRESS_SPACE_FILE) lru_cache_add(page)
  return error
}

/**
 * The object's page at `index`, made if need be with the PG_ flags `flags`: locked, with a reference, and perhaps not
 * uptodate. 0: out of memory (__filemap_get_folio with FGP_LOCK and FGP_CREAT).
 */
export function find_or_create_page(mapping: AddressSpace, index: number, flags: number): Page {
  for (;;) {
    const found = find_get_page(mapping, index)
    if (found !== 0) {
      lock_page(found)
      if (READ_ONCE(found + page$mapping) === mapping) return found
      // It left the object before we had its lock.
      unlock_page(found)
      put_page(found)
      continue
    }
    const page = alloc_page(GFP_HIGHUSER_MOVABLE)
    if (page === 0) return page
    if (MEMCG && mem_cgroup_charge(page, load(current() + task$mm) as Mm) !== 0) {
      put_page(page)
      return 0 as Page
    }
    __SetPageFlag(page, PG_locked | flags)
    const error = add_to_page_cache_lru(page, mapping, index)
    if (error === 0) return page
    unlock_page(page)
    put_page(page)
    if (error !== -EEXIST) return 0 as Page
    // Another CPU made the page first.
    count_vm_event(RETRY_filemap_fault)
  }
}

/** Fills a locked page of the object with zeros, if it has no contents yet (clear_highpage, folio_mark_uptodate). */
export function clear_page_until_uptodate(page: Page): void {
  if (PageUptodate(page)) return
  clear_words(page_address(page_to_pfn(page)), PAGE_BYTES >> 2)
  // Others may be queueing for the page's lock.
  SetPageUptodate(page)
}

/**
 * The object's page for the fault that vmf describes, locked and with a reference, in vmf$page: shared by files and
 * shmem, `flags` the PG_ flags of a new page. Returns VM_FAULT_LOCKED, VM_FAULT_SIGBUS beyond the object's size, or
 * VM_FAULT_OOM.
 */
export function page_cache_fault(flags: number): number {
  const vma = this_cpu_read(vmf$vma) as Vma
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  const index = linear_page_index(vma, this_cpu_read(vmf$address))
  if (index >= READ_ONCE(mapping + address_space$i_size)) return VM_FAULT_SIGBUS
  const page = find_or_create_page(mapping, index, flags)
  if (page === 0) return VM_FAULT_OOM
  // The size may have changed before we had the page's lock.
  if (index >= READ_ONCE(mapping + address_space$i_size)) {
    unlock_page(page)
    put_page(page)
    return VM_FAULT_SIGBUS
  }
  clear_page_until_uptodate(page)
  this_cpu_write(vmf$page, page)
  return VM_FAULT_LOCKED
}

/** A file's page for a fault; as page_cache_fault. */
export function filemap_fault(): number {
  return page_cache_fault(0)
}
