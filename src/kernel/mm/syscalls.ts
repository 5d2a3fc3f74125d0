/**
 * The system calls on maps, as a program makes them (mm/mmap.c, mprotect.c, mremap.c, madvise.c, 6.1): each is one
 * operation of the current task on its mm, under mmap_lock. Addresses and lengths are in pages. Descriptors do not
 * exist: an object is named by its address, and whoever created it gives it back by sys_close.
 */
import { load } from '../arch/access.ts'
import type { AddressSpace, Mm } from '../arch/structs.ts'
import { ADDRESS_SPACE_FILE, task$mm } from '../arch/structs.ts'
import { ENOMEM } from '../errno.ts'
import { begin_operation, current } from '../sched/core.ts'
import { create_address_space, iput } from './filemap.ts'
import { mm_populate } from './gup.ts'
import { do_madvise } from './madvise.ts'
import { MAP_NONBLOCK, MAP_POPULATE } from './mman.ts'
import { do_brk } from './mmap/brk.ts'
import { do_mmap } from './mmap/do_mmap.ts'
import { __vm_munmap } from './mmap/do_munmap.ts'
import { mmap_write_lock, mmap_write_unlock } from './mmap_lock.ts'
import { do_mprotect } from './mprotect.ts'
import { do_mremap } from './mremap.ts'
import { shmem_file_setup } from './shmem.ts'
import { syscall_result } from './mmap/account.ts'

/** Begins a call that changes the current task's map: its mm, with mmap_lock held for writing. */
function begin_map_change(): Mm {
  begin_operation()
  const mm = load(current() + task$mm) as Mm
  mmap_write_lock(mm)
  return mm
}

function end_map_change(mm: Mm): void {
  mmap_write_unlock(mm)
}

/**
 * Maps `npages` pages: of `mapping` from its page `pgoff` on, or of anonymous memory if that is 0. PROT_ and MAP_ flags
 * as in mman.ts. Returns the first page number or a negative error.
 */
export function sys_mmap(
  addr: number,
  npages: number,
  prot: number,
  flags: number,
  mapping: number,
  pgoff: number,
): number {
  const mm = begin_map_change()
  const result = do_mmap(mm, addr, npages, prot, flags, mapping as AddressSpace, pgoff)
  end_map_change(mm)
  if (result >= 0 && (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE) mm_populate(mm, result, npages)
  return syscall_result(result)
}

/** Unmaps [addr, addr + npages). Returns 0 or a negative error. */
export function sys_munmap(addr: number, npages: number): number {
  begin_operation()
  return syscall_result(__vm_munmap(load(current() + task$mm) as Mm, addr, npages, true))
}

/** Gives [addr, addr + npages) the PROT_ rights `prot`. Returns 0 or a negative error. */
export function sys_mprotect(addr: number, npages: number, prot: number): number {
  const mm = begin_map_change()
  const result = do_mprotect(mm, addr, npages, prot)
  end_map_change(mm)
  return syscall_result(result)
}

/** Resizes or moves a mapping; MREMAP_ flags. Returns its first page number or a negative error. */
export function sys_mremap(
  addr: number,
  old_pages: number,
  new_pages: number,
  flags: number,
  new_addr: number,
): number {
  begin_operation()
  return syscall_result(
    do_mremap(load(current() + task$mm) as Mm, addr, old_pages, new_pages, flags, new_addr),
  )
}

/** Moves the end of the heap to page `brk`, if possible. Returns where it is now; `brk` 0 only asks. */
export function sys_brk(brk: number): number {
  begin_operation()
  return do_brk(load(current() + task$mm) as Mm, brk)
}

/** Advice about [addr, addr + npages), one of the MADV_ constants of mman.ts. Returns 0 or a negative error. */
export function sys_madvise(addr: number, npages: number, advice: number): number {
  begin_operation()
  return syscall_result(do_madvise(load(current() + task$mm) as Mm, addr, npages, advice))
}

/** A shared memory object of `npages` pages for sys_mmap (memfd_create). Returns it or -ENOMEM. */
export function shmem_create(npages: number): number {
  begin_operation()
  const mapping = shmem_file_setup(npages)
  return syscall_result(mapping !== 0 ? mapping : -ENOMEM)
}

/** A file of `npages` pages that read as zeros. Returns its object or -ENOMEM. */
export function file_create(npages: number): number {
  begin_operation()
  const mapping = create_address_space(ADDRESS_SPACE_FILE, npages)
  return syscall_result(mapping !== 0 ? mapping : -ENOMEM)
}

/** Gives back what shmem_create or file_create returned; mappings of it stay. */
export function sys_close(mapping: number): void {
  begin_operation()
  iput(mapping as AddressSpace)
}
