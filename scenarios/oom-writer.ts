/**
 * A process writes a file in memory from pages that are swapped out, while another one has it killed for want of
 * memory. The OOM reaper takes the writer's pages away while the kernel still works for it: nothing may come to the
 * file that the pages never held.
 *
 * @config SWAP=y
 * @form cpus=2 operations=2 pages=3
 * @reaches oom_kill_process, oom_reap_task, write_file, do_swap_page
 * @expects oom_kill, oom_reaped, pswpin in 4
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  nr_cpus,
  nr_free_pages,
  OOM_SCORE_ADJ_MIN,
  pages,
  PROT_READ,
  PROT_WRITE,
  set_oom_score_adj,
  set_page_cluster,
  set_reg,
  setup_per_zone_wmarks,
  shmem_create,
  sys_close,
  sys_exit,
  sys_fork,
  sys_madvise,
  sys_mmap,
  sys_swapon,
  sys_wait,
  task_program,
  user_load,
  user_signal,
  user_store,
  write_file,
} from 'mmtorture/kernel'

const PAGES = 8
/** What each page holds. */
const VALUE = 1
/** Pages of memory that are left. */
const ROOM = 3

// Programs. The first task, program 0, is the hog.
const WRITER = 1

// Registers: the pages; the file, and where it is mapped; pages that only take memory away; writers that live.
const BASE = 0
const FILE = 1
const MAPPED = 2
const WASTE = 3
const LIVE = 4

export function setup(): number {
  const base = sys_mmap(0, pages(PAGES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const waste = sys_mmap(0, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (waste < 0) return waste
  const file = shmem_create(1)
  if (file < 0) return file
  const mapped = sys_mmap(0, 1, PROT_READ, MAP_SHARED, file, 0)
  if (mapped < 0) return mapped
  for (let i = 0; i < pages(PAGES); i++) user_store(base + i, 0, VALUE)
  user_load(mapped, 0)
  const error = write_file(file, 0, base)
  if (error < 0) return error
  // The mappings keep it from now on.
  sys_close(file)
  set_reg(BASE, base)
  set_reg(FILE, file)
  set_reg(MAPPED, mapped)
  set_reg(WASTE, waste)
  // The pages fill the device, so that it is of no use to anybody else.
  const device = sys_swapon(pages(PAGES), 0)
  if (device < 0) return device
  set_page_cluster(0)
  sys_madvise(base, pages(PAGES), MADV_PAGEOUT)
  set_oom_score_adj(OOM_SCORE_ADJ_MIN)
  start_writers()
  setup_per_zone_wmarks(Math.max(2, nr_free_pages() - ROOM), 1)
  return 0
}

/** One for each other CPU. The first task itself is never killed. */
function start_writers(): void {
  for (let cpu = 1; cpu < nr_cpus(); cpu++) if (sys_fork(WRITER) > 0) set_reg(LIVE, get_reg(LIVE) + 1)
}

/** Takes what memory is left, and looks, when the writers are gone, whether the file holds what they had. */
function hog(): void {
  if (get_reg(LIVE) === 0) start_writers()
  let signal = 0
  for (let i = 0; i < 2 * ROOM && signal === 0; i++) signal = user_store(get_reg(WASTE) + i, 0, VALUE)
  while (get_reg(LIVE) > 0 && sys_wait() > 0) set_reg(LIVE, get_reg(LIVE) - 1)
  if (get_reg(LIVE) > 0) return
  const got = user_load(get_reg(MAPPED), 0)
  BUG_ON(user_signal() === 0 && got !== VALUE)
  sys_madvise(get_reg(WASTE), 2 * ROOM, MADV_DONTNEED)
}

/** Writes the file from each page in turn. */
function writer(): void {
  set_oom_score_adj(0)
  for (let i = 0; i < pages(PAGES); i++) write_file(get_reg(FILE), 0, get_reg(BASE) + i)
  sys_exit()
}

export function program(): void {
  if (task_program() === WRITER) writer()
  else if (!last_turn()) hog()
}
