/**
 * Threads of one process fault in pages of their own parts of one mapping, each in page tables of its own. Split
 * page-table locks are never contended here; one lock for all is. A thread that is through discards its part. With
 * AREAS=each a hole before the next part makes each part a VMA of its own: with VMA_LOCK=y no fault then writes a line
 * that another CPU's fault needs.
 *
 * @form cpus=2 operations=2 pages=3
 * @form cpus=2 operations=2 pages=3 VMA_LOCK=y
 * @reaches do_anonymous_page, zap_pte_range
 */
import {
  BUG_ON,
  get_reg,
  last_turn,
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  nr_cpus,
  NR_PAGES,
  pages,
  PROT_READ,
  PROT_WRITE,
  PTRS_PER_PTE,
  set_reg,
  sys_clone_thread,
  sys_madvise,
  sys_mmap,
  sys_munmap,
  user_load,
  user_store,
  AREAS,
} from 'mmtorture/kernel'

/** Pages that a thread faults in before it discards them: all threads together at most half of memory. */
function part(): number {
  return pages(Math.min(2048, Math.floor(NR_PAGES / (2 * nr_cpus()))))
}

/** A value of AREAS. */
const AREAS_EACH = 1
/** Pages of a turn. */
const BATCH = 32

const START = 0
const PAGE = 1

export function setup(): number {
  // Two threads' parts are whole page tables apart.
  const tables = Math.floor((part() + PTRS_PER_PTE - 1) / PTRS_PER_PTE)
  const stride = (AREAS === AREAS_EACH ? tables + 1 : tables) * PTRS_PER_PTE
  const length = stride * (nr_cpus() + 1)
  const base = sys_mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0)
  if (base < 0) return base
  const first = Math.floor((base + PTRS_PER_PTE - 1) / PTRS_PER_PTE) * PTRS_PER_PTE
  for (let thread = 1; thread < nr_cpus(); thread++) {
    if (AREAS === AREAS_EACH) {
      const unmapped = sys_munmap(first + thread * stride - PTRS_PER_PTE, PTRS_PER_PTE)
      if (unmapped < 0) return unmapped
    }
    set_reg(START, first + thread * stride)
    const pid = sys_clone_thread(0)
    if (pid < 0) return pid
  }
  set_reg(START, first)
  return 0
}

export function program(): void {
  const start = get_reg(START)
  const page = get_reg(PAGE)
  if (page >= part()) {
    BUG_ON(sys_madvise(start, part(), MADV_DONTNEED) !== 0)
    set_reg(PAGE, 0)
    return
  }
  if (last_turn()) return
  const end = Math.min(part(), page + BATCH)
  for (let i = page; i < end; i++) {
    if (user_store(start + i, 0, i + 1) === 0) BUG_ON(user_load(start + i, 0) !== i + 1)
  }
  set_reg(PAGE, end)
}
