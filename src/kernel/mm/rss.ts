/**
 * Resident set size: counters of an mm and the deltas that each task gathers before it adds them (mm/memory.c, 6.1,
 * SPLIT_RSS_COUNTING).
 */
import { atomic_fetch_add } from '#atomic'
import { load, private_load, private_store, this_cpu_read } from '../arch/access.ts'
import { percpu$current } from '../arch/percpu.ts'
import type { Mm, Page, Task } from '../arch/structs.ts'
import {
  mm$rss_stat,
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
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
  add_mm_counter_fast(mm, member, 1)
}

export function dec_mm_counter(mm: Mm, member: number): void {
  add_mm_counter_fast(mm, member, -1)
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
  const events = private_load(task + task$rss_events) + 1
  if (events > TASK_RSS_EVENTS_THRESH) sync_mm_rss(task)
  else private_store(task + task$rss_events, events)
}

/** Which counter of a page of a file or object (mm_counter_file). */
export function mm_counter_file(page: Page): number {
  return PageSwapBacked(page) ? MM_SHMEMPAGES : MM_FILEPAGES
}

/** Which counter a mapped page belongs to. */
export function mm_counter(page: Page): number {
  return PageAnon(page) ? MM_ANONPAGES : mm_counter_file(page)
}
