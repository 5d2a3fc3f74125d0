/**
 * Resident set size: counters of an mm and the deltas that each task gathers before it adds them (mm/memory.c and
 * include/linux/mm.h, 6.1, SPLIT_RSS_COUNTING). A task's own faults count in its deltas (the _fast forms), all else in
 * the mm. Left out: the high-water mark (hiwater_rss), the trace point.
 */
import { SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import { load, private_load, private_store, this_cpu_read } from '../arch/access.ts'
import { percpu$current } from '../arch/percpu.ts'
import type { Mm, Page, Task } from '../arch/structs.ts'
import {
  mm$rss_stat,
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
  NR_MM_COUNTERS,
  task$mm,
  task$rss_events,
  task$rss_stat,
} from '../arch/structs.ts'
import { PageAnon, PageSwapBacked } from './mm.ts'

/** Faults after which a task adds its deltas (TASK_RSS_EVENTS_THRESH). */
const TASK_RSS_EVENTS_THRESH = 64

export function add_mm_counter(mm: Mm, member: number, value: number): void {
  if (value !== 0) atomic_fetch_add(mm + mm$rss_stat + member, value)
}

/** Adds to the current task's deltas if `mm` is its own, else to the mm. */
function add_mm_counter_fast(mm: Mm, member: number, value: number): void {
  const task = this_cpu_read(percpu$current) as Task
  if (task !== 0 && load(task + task$mm) === mm)
    private_store(task + task$rss_stat + member, private_load(task + task$rss_stat + member) + value)
  else add_mm_counter(mm, member, value)
}

export function inc_mm_counter(mm: Mm, member: number): void {
  add_mm_counter(mm, member, 1)
}

export function dec_mm_counter(mm: Mm, member: number): void {
  add_mm_counter(mm, member, -1)
}

export function inc_mm_counter_fast(mm: Mm, member: number): void {
  add_mm_counter_fast(mm, member, 1)
}

export function dec_mm_counter_fast(mm: Mm, member: number): void {
  add_mm_counter_fast(mm, member, -1)
}

/** Whoever is about to add to `mm` adds the deltas of the current task first, if they are of that mm. */
export function sync_mm_rss_of(mm: Mm): void {
  const task = this_cpu_read(percpu$current) as Task
  if (task !== 0 && load(task + task$mm) === mm) sync_mm_rss(task)
}

/** Adds to each counter what a range has gained or lost, after the current task's deltas (add_mm_rss_vec). */
export function add_mm_rss_vec(mm: Mm, file: number, anon: number, swapents: number, shmem: number): void {
  sync_mm_rss_of(mm)
  add_mm_counter(mm, MM_FILEPAGES, file)
  add_mm_counter(mm, MM_ANONPAGES, anon)
  if (SWAP) add_mm_counter(mm, MM_SWAPENTS, swapents)
  add_mm_counter(mm, MM_SHMEMPAGES, shmem)
}

/** Adds a task's deltas to its mm. */
export function sync_mm_rss(task: Task): void {
  const mm = load(task + task$mm) as Mm
  for (let member = 0; member < NR_MM_COUNTERS; member++) {
    add_mm_counter(mm, member, private_load(task + task$rss_stat + member))
    private_store(task + task$rss_stat + member, 0)
  }
  private_store(task + task$rss_events, 0)
}

/** Every so many faults the current task adds its deltas. */
export function check_sync_rss_stat(): void {
  const task = this_cpu_read(percpu$current) as Task
  const events = private_load(task + task$rss_events)
  if (events > TASK_RSS_EVENTS_THRESH) sync_mm_rss(task)
  else private_store(task + task$rss_events, events + 1)
}

/** Which counter of a page of a file or object (mm_counter_file). */
export function mm_counter_file(page: Page): number {
  return PageSwapBacked(page) ? MM_SHMEMPAGES : MM_FILEPAGES
}

/** Which counter a mapped page belongs to. */
export function mm_counter(page: Page): number {
  return PageAnon(page) ? MM_ANONPAGES : mm_counter_file(page)
}
