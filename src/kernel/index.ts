/**
 * The surface of the kernel for scenarios and users' designs: `import { … } from 'mmtorture/kernel'`.
 */
export {
  AREAS,
  MIX_COW,
  MIX_FORK,
  MIX_MADVISE,
  MIX_MMAP,
  MIX_MPROTECT,
  MIX_MREMAP,
  MIX_MUNMAP,
  MIX_READ,
  MIX_WRITE,
  NR_CPUS,
  NR_PAGES,
  PAGE_BYTES,
  PTLOCK_HASH,
  PTLOCK_RANGE,
  PTRS_PER_TABLE,
  REFCOUNT,
} from '#config'
export { SPINLOCK_WORDS } from '#spinlock'

// Machine: accesses and atomics on word addresses.
export {
  load,
  READ_ONCE,
  smp_processor_id,
  store,
  this_cpu_ptr,
  per_cpu_ptr,
  WRITE_ONCE,
} from './arch/access.ts'
export {
  atomic_fetch_add,
  atomic_fetch_and,
  atomic_fetch_or,
  atomic_load,
  atomic_store,
  cmpxchg,
  xchg,
} from '#atomic'
export { smp_load_acquire, smp_mb, smp_rmb, smp_store_release, smp_wmb } from './arch/barrier.ts'
export { BUG, BUG_ON } from './arch/bug.ts'
export { TLB_ENTRIES } from './arch/limits.ts'
export { ktime_get_ns, ndelay } from './arch/delay.ts'
export { cpu_relax, smp_cond_load, smp_wake, smp_wake_one } from './arch/wait.ts'
export { BOOT_DATA, PTLOCK_AREA } from './arch/memory_map.ts'
export { CONTENT_WORDS } from './arch/memory_map.ts'
export {
  page_to_pfn,
  pgtable_page,
  pmd_page,
  pte_none,
  pte_present,
  pte_same,
  pte_write,
  ptep_get,
  PTRS_PER_PTE,
  TASK_SIZE,
} from './arch/pgtable.ts'
export {
  LOCK_WORDS,
  mm$page_table_lock,
  PAGE_PTL_WORDS,
  page$pt_mm,
  page$ptl,
  RWLOCK_WORDS,
  TASK_WORDS,
} from './arch/structs.ts'
export type {
  AddressSpace,
  Mm,
  Page,
  Pmd,
  PmdP,
  Pte,
  PteP,
  PudP,
  Rwlock,
  Rwsem,
  Spinlock,
  Task,
} from './arch/structs.ts'

// A user's design: locks.
export {
  LOCK_CLASS_ptlock,
  LOCK_CLASS_ptlock_R,
  LOCK_CLASS_ptlock_W,
  LOCK_CLASS_user,
  LOCK_CLASS_user_rwsem_R,
  LOCK_CLASS_user_rwsem_W,
  SINGLE_DEPTH_NESTING,
} from './locking/lock_class.ts'
export {
  down_read,
  down_read_trylock,
  down_write,
  downgrade_write,
  init_rwsem,
  up_read,
  up_write,
} from './locking/rwsem.ts'
export {
  spin_is_contended,
  spin_lock,
  spin_lock_init,
  spin_lock_nested,
  spin_needbreak,
  spin_trylock,
  spin_unlock,
} from './locking/spinlock.ts'

export { PTL_READ, PTL_WRITE } from './locking/ptl_mode.ts'
export {
  read_lock,
  read_unlock,
  rwlock_init,
  write_is_contended,
  write_lock,
  write_lock_nested,
  write_unlock,
} from './locking/rwlock.ts'
export {
  raw_seqcount_begin,
  read_seqcount_retry,
  write_seqcount_begin,
  write_seqcount_end,
} from './lib/seqlock.ts'
export { bit_spin_lock, bit_spin_lock_init, bit_spin_unlock } from './locking/bit_spinlock.ts'
export {
  LG_LOCK_WORDS,
  lg_global_lock,
  lg_global_unlock,
  lg_local_lock,
  lg_local_unlock,
  lg_lock_init,
} from './locking/lglock.ts'
export { rcu_read_lock, rcu_read_unlock } from './rcu.ts'

// A scenario: user accesses, system calls, tasks.
export { user_fault, user_load, user_signal, user_store } from './arch/uaccess.ts'
export { FAULT_ABSENT, FAULT_PRESENT, SIGBUS, SIGKILL, SIGSEGV } from './arch/fault.ts'
export { EAGAIN, EBUSY, ECHILD, EINTR, EINVAL, ENOMEM } from './errno.ts'
export {
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_KEEPONFORK,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WIPEONFORK,
  MADV_WILLNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from './mm/mman.ts'
export {
  file_create,
  shmem_create,
  sys_brk,
  sys_close,
  sys_madvise,
  sys_mmap,
  sys_mprotect,
  sys_mremap,
  sys_munmap,
} from './mm/syscalls.ts'
export { nr_free_pages, setup_per_zone_wmarks } from './mm/page_alloc.ts'
export { OOM_SCORE_ADJ_MIN, set_oom_score_adj } from './mm/oom_kill.ts'
export { sys_memory_reclaim, sys_move_pages, sys_swapoff, sys_swapon } from './mm/syscalls_swap.ts'
export { set_fail_page_alloc, set_page_cluster, swap_device_set } from './mm/swapfile/swapon.ts'
export { SWP_STABLE_WRITES, SWP_SYNCHRONOUS_IO } from './arch/structs.ts'
export { mem_cgroup_attach, mem_cgroup_create, mem_cgroup_usage } from './mm/memcontrol.ts'
export { kswapd } from './mm/vmscan/reclaim.ts'
export { dio_read, write_file } from './mm/gup.ts'
export { kernel_thread, sys_clone_thread, sys_fork, sys_vfork } from './fork.ts'
export { set_brk, sys_execve, sys_exit, sys_wait } from './exit.ts'
export { begin_operation, current, stop_task } from './sched/core.ts'
export { task_wait, task_wake } from './sched/futex.ts'
export {
  get_reg,
  last_turn,
  nr_cpus,
  pages,
  prandom,
  prandom_exponential,
  scenario_percpu,
  scenario_word,
  section_ns,
  set_reg,
  task_program,
  think_ns,
} from './sched/program.ts'
export {
  oracle_dio_read,
  oracle_load,
  oracle_load_as,
  oracle_store,
  oracle_store_as,
} from './oracle/access.ts'
export { oracle_discard, oracle_discard_own, oracle_discarded } from './oracle/discard.ts'
export { oracle_window } from './oracle/windows.ts'
