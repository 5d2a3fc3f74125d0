/**
 * New tasks and address spaces (kernel/fork.c, 6.1): sys_fork, sys_vfork, clone of a thread; dup_task_struct, dup_mm,
 * dup_mmap, mm_init, mmput. The frames that the first seed shows above the copy (sys_clone, do_fork, copy_process,
 * copy_mm, dup_mm) are these. Left out: signals, namespaces, pids beyond a number, COW of pinned pages.
 */
import { MEMCG, SWAP } from '#config'
import { atomic_fetch_add, atomic_load, cmpxchg } from '#atomic'
import { load, READ_ONCE, store } from './arch/access.ts'
import { BUG_ON } from './arch/bug.ts'
import { machine$next_mm_id, machine$next_pid, machine$nr_tasks, machine$seed } from './arch/memory_map.ts'
import { pgtable_page, TASK_SIZE } from './arch/pgtable.ts'
import type { AddressSpace, Mm, Rwsem, Spinlock, Task, Vma } from './arch/structs.ts'
import {
  mm$brk,
  mm$id,
  mm$map_count,
  mm$memcg,
  mm$mm_count,
  mm$mm_mt,
  mm$mm_users,
  mm$mmap_base,
  mm$mmap_lock,
  mm$page_table_lock,
  mm$pgd,
  mm$pgtables_bytes,
  mm$rss_stat,
  mm$start_brk,
  mm$total_vm,
  NR_MM_COUNTERS,
  NR_TASK_REGS,
  task$mm,
  task$nr_children,
  task$pid,
  task$program,
  task$reg,
  task$rng,
  task$vfork_done,
  VM_DONTCOPY,
  VM_WIPEONFORK,
  vma$anon_vma,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_end,
  vma$vm_mm,
  vma$vm_start,
} from './arch/structs.ts'
import { flush_tlb_mm } from './arch/tlb.ts'
import { oracle_dup_mm_begin, oracle_dup_mm_end, oracle_mmdrop } from './oracle/fork.ts'
import { EAGAIN, EINTR, ENOMEM } from './errno.ts'
import { add_child, add_to_tasks } from './exit.ts'
import { INIT_LIST_HEAD } from './lib/list.ts'
import {
  LOCK_CLASS_mmap_lock_R,
  LOCK_CLASS_mmap_lock_W,
  LOCK_CLASS_page_table_lock,
  SINGLE_DEPTH_NESTING,
} from './locking/lock_class.ts'
import { init_rwsem } from './locking/rwsem.ts'
import { spin_lock_init } from './locking/spinlock.ts'
import { copy_page_range } from './mm/memory/copy_page_range.ts'
import { igrab } from './mm/filemap.ts'
import { vm_stat_account } from './mm/mmap/account.ts'
import { exit_mmap } from './mm/mmap/exit_mmap.ts'
import { vm_area_dup, vm_area_free } from './mm/mmap/vm_area.ts'
import { vma_link } from './mm/mmap/vma_link.ts'
import { mmap_write_lock, mmap_write_lock_nested, mmap_write_unlock } from './mm/mmap_lock.ts'
import { pgd_alloc, pgtable_free } from './mm/pgalloc.ts'
import { anon_vma_fork } from './mm/rmap/anon_vma_fork.ts'
import { kmem_cache_alloc, kmem_cache_free, mm_cachep, task_struct_cachep } from './mm/slab.ts'
import { mm_mmlist, mmlist_del } from './mm/swapfile/mmlist.ts'
import { vma_start_write } from './mm/vma_lock.ts'
import { count_vm_event, FORKS } from './mm/vmstat.ts'
import {
  begin_operation,
  current,
  sched_fork,
  set_current_interruptible,
  set_init_task,
  wake_up_new_task,
} from './sched/core.ts'
import { fatal_signal_pending } from './signal.ts'
import { syscall_result } from './mm/mmap/account.ts'

/** An empty address space with one user; 0 if there is no memory (mm_alloc, mm_init). */
export function mm_alloc(): Mm {
  const mm = kmem_cache_alloc(mm_cachep) as Mm
  if (mm === 0) return mm
  const pgd = pgd_alloc(mm)
  if (pgd === 0) {
    kmem_cache_free(mm_cachep, mm)
    return 0 as Mm
  }
  store(mm + mm$pgd, pgd)
  store(mm + mm$mm_users, 1)
  store(mm + mm$mm_count, 1)
  store(mm + mm$id, atomic_fetch_add(machine$next_mm_id, 1) + 1)
  store(mm + mm$mmap_base, TASK_SIZE)
  init_rwsem((mm + mm$mmap_lock) as Rwsem, LOCK_CLASS_mmap_lock_R, LOCK_CLASS_mmap_lock_W)
  spin_lock_init((mm + mm$page_table_lock) as Spinlock, LOCK_CLASS_page_table_lock)
  if (SWAP) INIT_LIST_HEAD(mm_mmlist(mm))
  return mm
}

/** Frees an address space that has no user and no mapping left. What is still counted in it was leaked (check_mm). */
function __mmdrop(mm: Mm): void {
  for (let member = 0; member < NR_MM_COUNTERS; member++) BUG_ON(load(mm + mm$rss_stat + member) !== 0)
  BUG_ON(load(mm + mm$pgtables_bytes) !== 0)
  pgtable_free(pgtable_page(load(mm + mm$pgd)))
  oracle_mmdrop(mm)
  kmem_cache_free(mm_cachep, mm)
}

/**
 * Takes a reference to the structure that does not keep the mappings; all users together have one. The caller knows
 * that there is one.
 */
export function mmgrab(mm: Mm): void {
  atomic_fetch_add(mm + mm$mm_count, 1)
}

/** Drops such a reference. The last one frees the structure. */
export function mmdrop(mm: Mm): void {
  if (atomic_fetch_add(mm + mm$mm_count, -1) === 1) __mmdrop(mm)
}

/** Takes another user of an address space (mmget). */
export function mmget(mm: Mm): void {
  atomic_fetch_add(mm + mm$mm_users, 1)
}

/** Takes another user of an address space that still has one; false: it is on its way out. */
export function mmget_not_zero(mm: Mm): boolean {
  for (let users = atomic_load(mm + mm$mm_users); users !== 0;) {
    const seen = cmpxchg(mm + mm$mm_users, users, users + 1)
    if (seen === users) return true
    users = seen
  }
  return false
}

/** Drops a user; the last one unmaps everything. */
export function mmput(mm: Mm): void {
  if (atomic_fetch_add(mm + mm$mm_users, -1) !== 1) return
  exit_mmap(mm)
  if (SWAP) mmlist_del(mm)
  mmdrop(mm)
}

/**
 * Copies one VMA and its page tables into `mm`. Returns whether there was no memory; then nothing of it is left but
 * what exit_mmap finds.
 */
function dup_vma(mm: Mm, mpnt: Vma): boolean {
  const tmp = vm_area_dup(mpnt)
  if (tmp === 0) return true
  store(tmp + vma$vm_mm, mm)
  store(tmp + vma$anon_vma, 0)
  const wipe = (load(tmp + vma$vm_flags) & VM_WIPEONFORK) !== 0
  if (!wipe && anon_vma_fork(tmp, mpnt) !== 0) {
    vm_area_free(tmp)
    return true
  }
  const mapping = load(tmp + vma$vm_mapping) as AddressSpace
  if (mapping !== 0) igrab(mapping)
  vma_link(mm, tmp)
  return !wipe && copy_page_range(tmp, mpnt)
}

/** Copies all mappings of `oldmm` (dup_mmap). Returns whether there was no memory. */
function dup_mmap(mm: Mm, oldmm: Mm): boolean {
  mmap_write_lock(oldmm)
  mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING)
  oracle_dup_mm_begin(oldmm)
  store(mm + mm$start_brk, load(oldmm + mm$start_brk))
  store(mm + mm$brk, load(oldmm + mm$brk))
  if (MEMCG) store(mm + mm$memcg, READ_ONCE(oldmm + mm$memcg))
  store(mm + mm$total_vm, load(oldmm + mm$total_vm))
  let failed = false
  const count = load(oldmm + mm$map_count)
  for (let i = 0; i < count && !failed; i++) {
    const mpnt = load(oldmm + mm$mm_mt + i) as Vma
    // No fault until the parent's pages are write-protected and its TLBs are flushed.
    vma_start_write(mpnt)
    if ((load(mpnt + vma$vm_flags) & VM_DONTCOPY) === 0) failed = dup_vma(mm, mpnt)
    else vm_stat_account(mm, load(mpnt + vma$vm_start) - load(mpnt + vma$vm_end))
  }
  mmap_write_unlock(mm)
  // The parent's pages were write-protected: from here on no CPU writes them through an old right.
  flush_tlb_mm(oldmm)
  oracle_dup_mm_end(oldmm, mm)
  mmap_write_unlock(oldmm)
  return failed
}

/** A copy of an address space; 0 if there is no memory. */
function dup_mm(oldmm: Mm): Mm {
  const mm = mm_alloc()
  if (mm === 0) return mm
  if (dup_mmap(mm, oldmm)) {
    mmput(mm)
    return 0 as Mm
  }
  return mm
}

/** A task that nothing runs yet; 0 if there are too many. It has the random numbers that follow its parent's. */
export function alloc_task(parent: Task, program: number): Task {
  const task = kmem_cache_alloc(task_struct_cachep) as Task
  if (task === 0) return task
  const pid = atomic_fetch_add(machine$next_pid, 1) + 1
  store(task + task$pid, pid)
  store(task + task$program, program)
  if (parent !== 0)
    for (let i = 0; i < NR_TASK_REGS; i++) store(task + task$reg + i, load(parent + task$reg + i))
  store(task + task$rng, Math.imul(pid + load(machine$seed), 0x9e3779b1) | 1)
  sched_fork(task)
  return task
}

/** Makes `task` one of the tasks of the machine and lets it run. */
function add_task(parent: Task, task: Task): number {
  const pid = load(task + task$pid)
  add_child(parent, task)
  atomic_fetch_add(parent + task$nr_children, 1)
  atomic_fetch_add(machine$nr_tasks, 1)
  wake_up_new_task(task)
  return pid
}

/**
 * Forks: the child has a copy of the address space and of the parent's registers and runs `program`. Returns its pid or
 * -ENOMEM, -EAGAIN or -EINTR.
 */
export function sys_fork(program: number): number {
  begin_operation()
  const parent = current()
  const task = alloc_task(parent, program)
  if (task === 0) return -EAGAIN
  const mm = dup_mm(load(parent + task$mm) as Mm)
  if (mm === 0) {
    kmem_cache_free(task_struct_cachep, task)
    return syscall_result(-ENOMEM)
  }
  if (SWAP && fatal_signal_pending(parent)) {
    // What was copied may have lost pages to the reaper.
    mmput(mm)
    kmem_cache_free(task_struct_cachep, task)
    return -EINTR
  }
  store(task + task$mm, mm)
  count_vm_event(FORKS)
  return add_task(parent, task)
}

/** Clones a thread: it shares the address space and runs `program`. Returns its pid or -EAGAIN. */
export function sys_clone_thread(program: number): number {
  begin_operation()
  const parent = current()
  const task = alloc_task(parent, program)
  if (task === 0) return -EAGAIN
  mmget(load(parent + task$mm) as Mm)
  store(task + task$mm, load(parent + task$mm))
  return add_task(parent, task)
}

/**
 * vfork: the child shares the address space, and the parent waits until it calls execve or exits. The caller returns
 * from its program right after. Returns the child's pid or -EAGAIN.
 */
export function sys_vfork(program: number): number {
  begin_operation()
  const parent = current()
  const task = alloc_task(parent, program)
  if (task === 0) return -EAGAIN
  mmget(load(parent + task$mm) as Mm)
  store(task + task$mm, load(parent + task$mm))
  store(task + task$vfork_done, load(parent + task$pid))
  set_current_interruptible()
  return add_task(parent, task)
}

/**
 * A kernel thread: a task without an address space that runs `program`, which must be one of the kernel's own, such as
 * kswapd. Returns its pid or
 * -EAGAIN.
 */
export function kernel_thread(program: number): number {
  const task = alloc_task(0 as Task, program)
  if (task === 0) return -EAGAIN
  const pid = load(task + task$pid)
  add_to_tasks(task)
  atomic_fetch_add(machine$nr_tasks, 1)
  wake_up_new_task(task)
  return pid
}

/** The first task, with an empty address space, on CPU 0 (kernel_init). */
export function create_init(): boolean {
  const task = alloc_task(0 as Task, 0)
  if (task === 0) return true
  const mm = mm_alloc()
  if (mm === 0) return true
  store(task + task$mm, mm)
  if (SWAP) add_to_tasks(task)
  store(machine$nr_tasks, READ_ONCE(machine$nr_tasks) + 1)
  set_init_task(task)
  return false
}
