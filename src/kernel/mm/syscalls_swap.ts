/**
 * The system calls of swap and migration, as a program makes them (mm/swapfile.c, mm/migrate.c, mm/memcontrol.c, 6.1):
 * swapon, swapoff, move_pages, and the file memory.reclaim. Devices have numbers instead of paths.
 */
import { SWAP } from '#config'
import { load } from '../arch/access.ts'
import type { Mm, Page } from '../arch/structs.ts'
import { task$mm, vma$vm_start } from '../arch/structs.ts'
import { EAGAIN, EBUSY, EFAULT, EINVAL, ENOENT } from '../errno.ts'
import { mmap_read_lock, mmap_read_unlock } from './mmap_lock.ts'
import { begin_operation, current } from '../sched/core.ts'
import { follow_page_get, migrate_page_of } from './migrate.ts'
import { find_vma } from './mmap/mm_mt.ts'
import { put_page } from './mm.ts'
import { isolate_lru_page, lru_add_drain } from './swap.ts'
import { do_swapoff } from './swapfile/swapoff.ts'
import { do_swapon } from './swapfile/swapon.ts'
import { user_proactive_reclaim } from './vmscan/reclaim.ts'
import { syscall_result } from './mmap/account.ts'

/**
 * Turns on a swap device of `pages` slots, or as many as there is room for; `flags`: SWP_SYNCHRONOUS_IO,
 * SWP_STABLE_WRITES. Returns its number or a negative error.
 */
export function sys_swapon(pages: number, flags: number): number {
  begin_operation()
  return SWAP ? syscall_result(do_swapon(pages, flags)) : -EINVAL
}

/** Turns swap device `device` off, when all its pages have been brought back. Returns 0 or a negative error. */
export function sys_swapoff(device: number): number {
  begin_operation()
  return SWAP ? syscall_result(do_swapoff(device)) : -EINVAL
}

/**
 * Writes to memory.reclaim: reclaims up to `npages` pages, whoever has them. Returns 0, or -EAGAIN if there were not so
 * many (memory_reclaim).
 */
export function sys_memory_reclaim(npages: number): number {
  begin_operation()
  if (!SWAP) return -EINVAL
  return user_proactive_reclaim(npages) < npages ? -EAGAIN : 0
}

/**
 * Moves the anonymous page that is mapped at `addr` to a new frame. Returns 0, -EFAULT, -ENOENT if none is there,
 * -EBUSY, -EAGAIN or -ENOMEM.
 */
export function sys_move_pages(addr: number): number {
  begin_operation()
  if (!SWAP) return -EINVAL
  const mm = load(current() + task$mm) as Mm
  mmap_read_lock(mm)
  const vma = find_vma(mm, addr)
  const mapped = vma !== 0 && load(vma + vma$vm_start) <= addr
  const page = mapped ? follow_page_get(vma, addr) : (0 as Page)
  mmap_read_unlock(mm)
  if (!mapped) return -EFAULT
  if (page === 0) return -ENOENT
  lru_add_drain()
  const isolated = isolate_lru_page(page)
  put_page(page)
  return isolated ? syscall_result(migrate_page_of(page)) : -EBUSY
}
