/**
 * The OOM killer and its reaper (mm/oom_kill.c, 6.1): out_of_memory, oom_badness, mark_oom_victim, oom_reap_task_mm.
 * What is killed is an address space: every task that has it. The memory comes back when the last of them has exited,
 * or sooner, when the reaper has discarded it under mmap_lock: from then on it is unstable, and nobody may fault in it
 * (check_stable_address_space), for what was there is lost.
 *
 * The CPU that found no memory reaps what it killed; others that wait for the same victim sleep until that is done.
 * tasklist_lock stands for task_lock: a task keeps its mm while it is held. Left out: the reaper's thread, dumps,
 * panic_on_oom, notifiers, process_mrelease.
 */
import { SWAP } from '#config'
import { atomic_fetch_or, atomic_load } from '#atomic'
import { load, READ_ONCE, store, this_cpu_read, this_cpu_write } from '../arch/access.ts'
import { machine$oom_lock, machine$tasks } from '../arch/memory_map.ts'
import { percpu$oom_faults, tlb$mm } from '../arch/percpu.ts'
import { PTRS_PER_PTE } from '../arch/pgtable.ts'
import type { Mm, Spinlock, Task, Vma } from '../arch/structs.ts'
import {
  mm$flags,
  mm$map_count,
  mm$memcg,
  mm$mm_mt,
  mm$pgtables_bytes,
  mm$rss_stat,
  MMF_OOM_REAP_QUEUED,
  MMF_OOM_SKIP,
  MMF_OOM_VICTIM,
  MMF_UNSTABLE,
  NR_MM_COUNTERS,
  task$mm,
  task$oom_mm,
  task$oom_score_adj,
  task$tasks,
  vma$vm_end,
  vma$vm_flags,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_start,
  VM_HUGETLB,
  VM_PFNMAP,
  VM_SHARED,
} from '../arch/structs.ts'
import { smp_cond_load, smp_wake } from '../arch/wait.ts'
import { tasklist_lock } from '../exit.ts'
import { mmdrop, mmgrab } from '../fork.ts'
import { list_next } from '../lib/list.ts'
import { LOCK_CLASS_oom_lock } from '../locking/lock_class.ts'
import { mmap_read_trylock, mmap_read_unlock } from './mmap_lock.ts'
import { spin_lock, spin_lock_init, spin_unlock } from '../locking/spinlock.ts'
import { cond_resched, current } from '../sched/core.ts'
import { fatal_signal_pending, send_sigkill } from '../signal.ts'
import { totalram_pages } from './page_alloc.ts'
import { unmap_single_vma } from './memory/zap_page_range.ts'
import { tlb_finish_mmu, tlb_gather_mmu } from './mmu_gather.ts'
import { VM_FAULT_SIGBUS } from './memory/vmf.ts'
import { count_vm_event, OOM_KILL, OOM_REAPED, OOM_SKIPPED } from './vmstat.ts'

/** Never chosen. */
export const OOM_SCORE_ADJ_MIN = -1000
/** Badness of a task that must not be chosen. */
const LONG_MIN = -0x80000000
const MAX_OOM_REAP_RETRIES = 10
/** Faults of one access without memory after which it ends. Linux goes on. */
const MAX_OOM_FAULTS = 4

const oom_lock = machine$oom_lock as Spinlock

export function oom_init(): void {
  spin_lock_init(oom_lock, LOCK_CLASS_oom_lock)
}

/**
 * VM_FAULT_SIGBUS if the reaper may have taken pages of `mm`: a fault must not fill the holes. Under the ptl, or before
 * it is taken.
 */
export function check_stable_address_space(mm: Mm): number {
  return SWAP && (READ_ONCE(mm + mm$flags) & MMF_UNSTABLE) !== 0 ? VM_FAULT_SIGBUS : 0
}

/** How much would be gained by killing the task, in pages. Under tasklist_lock. */
function oom_badness(task: Task, mm: Mm): number {
  const adj = load(task + task$oom_score_adj)
  if (adj === OOM_SCORE_ADJ_MIN) return LONG_MIN
  let points = Math.trunc(READ_ONCE(mm + mm$pgtables_bytes) / (4 * PTRS_PER_PTE))
  for (let member = 0; member < NR_MM_COUNTERS; member++) points += READ_ONCE(mm + mm$rss_stat + member)
  return points + Math.trunc((adj * totalram_pages()) / 1000)
}

/** The next task on the list after `link`; 0: there is none. */
function next_task(link: number): Task {
  const next = list_next(link)
  return (next === machine$tasks ? 0 : next - task$tasks) as Task
}

/**
 * The address space of a victim that has not been dealt with yet, or of the worst task, with a reference; 0: none
 * (select_bad_process).
 */
function select_bad_process(memcg: number): Mm {
  let chosen = 0 as Mm
  let chosen_points = LONG_MIN
  for (let task = next_task(machine$tasks); task !== 0; task = next_task(task + task$tasks)) {
    // That of a victim is looked at until it has been taken down, though the task has left it.
    const victim = load(task + task$oom_mm) as Mm
    const mm = victim !== 0 ? victim : (load(task + task$mm) as Mm)
    if (mm === 0 || (memcg !== 0 && READ_ONCE(mm + mm$memcg) !== memcg)) continue
    const flags = READ_ONCE(mm + mm$flags)
    if ((flags & MMF_OOM_SKIP) !== 0) continue
    // One is dying: that may be enough.
    if ((flags & MMF_OOM_VICTIM) !== 0) {
      chosen = mm
      break
    }
    const points = oom_badness(task, mm)
    if (points > chosen_points) {
      chosen = mm
      chosen_points = points
    }
  }
  if (chosen !== 0) mmgrab(chosen)
  return chosen
}

/** Kills every task that has `mm`. Under tasklist_lock. */
function oom_kill_process(mm: Mm): void {
  if ((atomic_fetch_or(mm + mm$flags, MMF_OOM_VICTIM) & MMF_OOM_VICTIM) !== 0) return
  count_vm_event(OOM_KILL)
  for (let task = next_task(machine$tasks); task !== 0; task = next_task(task + task$tasks))
    if (load(task + task$mm) === mm) {
      mark_oom_victim(task, mm)
      send_sigkill(task)
    }
}

function mark_oom_victim(task: Task, mm: Mm): void {
  if (load(task + task$oom_mm) !== 0) return
  mmgrab(mm)
  store(task + task$oom_mm, mm)
}

/** A task that is gone is a victim no more. Under no lock. */
export function exit_oom_victim(oom_mm: Mm): void {
  if (oom_mm !== 0) mmdrop(oom_mm)
}

/** Discards what nobody but its tasks can see; false if another CPU is changing the map. */
function oom_reap_task_mm(mm: Mm): boolean {
  if (this_cpu_read(tlb$mm) !== 0 || !mmap_read_trylock(mm)) return false
  // exit_mmap was faster.
  if ((READ_ONCE(mm + mm$flags) & MMF_OOM_SKIP) === 0) {
    // Before the first page goes: a fault that comes later must find it.
    atomic_fetch_or(mm + mm$flags, MMF_UNSTABLE)
    for (let i = 0; i < load(mm + mm$map_count); i++) reap_vma(load(mm + mm$mm_mt + i) as Vma)
    count_vm_event(OOM_REAPED)
  }
  mmap_read_unlock(mm)
  return true
}

/** Clears [start, end) of the VMA; its pages may be in batches of other CPUs, so that this one's does not matter. */
function reap_page_range(vma: Vma, start: number, end: number): void {
  tlb_gather_mmu(load(vma + vma$vm_mm) as Mm)
  unmap_single_vma(vma, start, end)
  tlb_finish_mmu()
}

function reap_vma(vma: Vma): void {
  const vm_flags = load(vma + vma$vm_flags)
  if ((vm_flags & (VM_HUGETLB | VM_PFNMAP)) !== 0) return
  const start = load(vma + vma$vm_start)
  if (load(vma + vma$vm_mapping) === 0 || (vm_flags & VM_SHARED) === 0)
    reap_page_range(vma, start, load(vma + vma$vm_end))
}

/** The OOM killer has nothing more to gain from `mm`: whoever waits for it looks for another. */
export function set_mmf_oom_skip(mm: Mm): void {
  atomic_fetch_or(mm + mm$flags, MMF_OOM_SKIP)
  smp_wake(mm + mm$flags)
}

/** Sees to it that the victim's memory comes back, or that another is chosen. */
function oom_reap_task(mm: Mm): void {
  if ((atomic_fetch_or(mm + mm$flags, MMF_OOM_REAP_QUEUED) & MMF_OOM_REAP_QUEUED) !== 0) {
    for (let flags = atomic_load(mm + mm$flags); (flags & MMF_OOM_SKIP) === 0;)
      flags = smp_cond_load(mm + mm$flags, flags)
    return
  }
  let attempts = 0
  while (attempts++ < MAX_OOM_REAP_RETRIES && !oom_reap_task_mm(mm)) cond_resched()
  if (attempts > MAX_OOM_REAP_RETRIES) count_vm_event(OOM_SKIPPED)
  set_mmf_oom_skip(mm)
}

/**
 * No memory is left, in `memcg` (0: in the machine): kills somebody. Returns whether that may have helped; false:
 * nobody is left to be killed. The caller holds no spinlock. The current task may be the victim: then it must go out of
 * the kernel and die.
 */
export function out_of_memory(memcg: number): boolean {
  // One at a time: what the last one killed counts (Linux only tries the lock, a mutex).
  spin_lock(oom_lock)
  spin_lock(tasklist_lock)
  const mm = select_bad_process(memcg)
  if (mm !== 0) oom_kill_process(mm)
  spin_unlock(tasklist_lock)
  spin_unlock(oom_lock)
  if (mm === 0) {
    // Linux panics; here the access ends that wants the page.
    this_cpu_write(percpu$oom_faults, MAX_OOM_FAULTS)
    return false
  }
  if (load(current() + task$mm) !== mm) oom_reap_task(mm)
  mmdrop(mm)
  return true
}

/**
 * A fault ended without memory. A task that was killed meanwhile dies now; otherwise the access is tried again, for
 * others may have given memory back. Returns whether it may be tried.
 */
export function pagefault_out_of_memory(): boolean {
  if (SWAP && fatal_signal_pending(current())) return false
  const faults = this_cpu_read(percpu$oom_faults) + 1
  this_cpu_write(percpu$oom_faults, faults)
  cond_resched()
  return faults <= MAX_OOM_FAULTS
}

/**
 * Makes the current task more or less likely to be chosen: -1000 (never) to 1000 (/proc/self/oom_score_adj). Children
 * inherit it.
 */
export function set_oom_score_adj(adj: number): void {
  spin_lock(tasklist_lock)
  store(current() + task$oom_score_adj, adj)
  spin_unlock(tasklist_lock)
}
