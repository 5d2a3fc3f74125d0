// No lock of the kernel is one that Linux does not have: what lock_stat, c2c and verdicts name are lock classes of
// Linux 6.1, where the list says what a class is initialised by, or of the later version that a part of the model
// follows.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LOCK_CLASSES } from '../../src/inspect/lock_classes.ts'
import { packageRoot } from '../../src/base/root.ts'

/** Name in /proc/lock_stat: where Linux initialises the lock. */
const LINUX: Readonly<Record<string, string>> = {
  'ptlock_ptr(page)': 'include/linux/mm.h: ptlock_init',
  '&mm->page_table_lock': 'kernel/fork.c: mm_init',
  '&mm->mmap_lock': 'include/linux/mmap_lock.h: mmap_init_lock',
  '&vma->vm_lock->lock': 'kernel/fork.c: vma_lock_alloc (6.4)',
  '&anon_vma->rwsem': 'mm/rmap.c: anon_vma_ctor',
  '&mapping->i_mmap_rwsem': 'fs/inode.c: __address_space_init_once',
  '&sem->wait_lock': 'kernel/locking/rwsem.c: __init_rwsem',
  '&xa->xa_lock': 'include/linux/xarray.h: xa_init_flags',
  '&zone->lock': 'mm/page_alloc.c: zone_init_internals',
  '&lruvec->lru_lock': 'mm/mmzone.c: lruvec_init',
  '&n->list_lock': 'mm/slub.c: init_kmem_cache_node',
  '&folio_wait_table[i]': 'mm/filemap.c: pagecache_init',
  mmlist_lock: 'kernel/fork.c',
  swap_lock: 'mm/swapfile.c',
  '&p->lock': 'mm/swapfile.c: alloc_swap_info',
  '&p->cont_lock': 'mm/swapfile.c: alloc_swap_info',
  '&((cluster_info + ci)->lock)': 'mm/swapfile.c: swapon',
  'swapcache_wq.lock': 'mm/memory.c: swapcache_wq (6.12)',
  oom_lock: 'mm/oom_kill.c',
  tasklist_lock: 'kernel/fork.c',
  '&rq->__lock': 'kernel/sched/core.c: sched_init',
  '&p->pi_lock': 'kernel/fork.c: rt_mutex_init_task',
  '&futex_queues[i].lock': 'kernel/futex/core.c: futex_init',
  rcu_node_0: 'kernel/rcu/tree.c: rcu_init_one',
}

/** Locks that are not the kernel's: those of scenarios and of users' designs. */
const NOT_THE_KERNELS = ['(no class)', 'user', 'user rwsem']

/** Text of every file of the kernel and of the scenarios. */
function sources(): string[] {
  return ['src/kernel', 'scenarios'].flatMap((folder) =>
    readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('lock_class.ts'))
      .map((file) => readFileSync(join(packageRoot(), folder, file), 'utf8')),
  )
}

test('every lock class has the name of one that Linux has', () => {
  const names = new Set(Object.values(LOCK_CLASSES).map(({ name }) => name))
  expect([...names].filter((name) => !(name in LINUX) && !NOT_THE_KERNELS.includes(name))).toEqual([])
})

test('every lock that the kernel or a scenario initialises has such a class', () => {
  const used = new Set(sources().flatMap((text) => text.match(/\bLOCK_CLASS_\w+/g) ?? []))
  expect(used.size).toBeGreaterThan(20)
  expect([...used].filter((name) => !(name in LOCK_CLASSES))).toEqual([])
  const initialised = sources().flatMap((text) =>
    [...text.matchAll(/(?<!function )\b(?:spin_lock_init|init_rwsem|init_waitqueue_head)\(([^]*?)\)\n/g)].map(
      ([, given]) => given,
    ),
  )
  expect(initialised.length).toBeGreaterThan(20)
  expect(initialised.filter((given) => !/LOCK_CLASS_|lock_class/.test(given))).toEqual([])
})
