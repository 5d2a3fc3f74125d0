// The layout of the machine's memory (src/kernel/arch/memory_map.ts, percpu.ts, structs.ts): the areas follow one
// another, and nothing lies upon anything else in them. Leaves out the oracle's memory and the counters, which are no
// part of the machine's.
import { beforeAll, describe, expect, it } from 'vitest'
import { oneCpu } from './machine.ts'

type Symbols = Readonly<Record<string, number>>

const CONFIGURATIONS = [
  'NR_CPUS=1 SWAP=n',
  'NR_CPUS=64 SWAP=n VMA_LOCK=y PTLOCK=hashed',
  'NR_CPUS=64 SWAP=y SPINLOCK=mcs',
  'NR_CPUS=65 SWAP=y MEMCG=y LOCK_STAT=y',
  'NR_CPUS=256 SWAP=y MEMCG=y VMA_LOCK=y NODES=4',
  'NR_CPUS=256 SWAP=n PAGE_BYTES=4096',
]

/** Words between two areas that alignment to a line may leave. */
const LINE = 16

/** Every area in its place, with its words. */
function areas(s: Symbols): [name: string, from: number, words: number][] {
  const listed: Record<string, number> = {
    PERCPU: s.NR_CPUS * s.PERCPU_WORDS,
    ZONES: s.NODES * s.ZONE_WORDS,
    RQ: s.NR_CPUS * s.RQ_WORDS,
    FUTEX_QUEUES: s.NR_FUTEX_QUEUES * s.FUTEX_QUEUE_WORDS,
    LRUVECS: s.NR_LRUVECS * s.LRUVEC_WORDS,
    MEM_CGROUPS: s.NR_MEM_CGROUPS * s.MEM_CGROUP_WORDS,
    PAGE_WAIT: s.PAGE_WAIT_TABLE_SIZE * s.WAIT_QUEUE_HEAD_WORDS,
    PTLOCK_AREA: s.PTLOCK_WORDS,
    KMEM_CACHES: s.NR_KMEM_CACHES * s.KMEM_CACHE_WORDS,
    KMEM_CACHE_NODES: s.NODES * s.NR_KMEM_CACHES * s.KMEM_CACHE_NODE_WORDS,
    TASK_SLABS: s.NR_TASK_SLABS * s.SLAB_WORDS,
    MM_SLABS: s.NR_MM_SLABS * s.SLAB_WORDS,
    VMA_SLABS: s.NR_VMA_SLABS * s.SLAB_WORDS,
    ANON_VMA_SLABS: s.NR_ANON_VMA_SLABS * s.SLAB_WORDS,
    ANON_VMA_CHAIN_SLABS: s.NR_ANON_VMA_CHAIN_SLABS * s.SLAB_WORDS,
    ADDRESS_SPACE_SLABS: s.NR_ADDRESS_SPACE_SLABS * s.SLAB_WORDS,
    XA_NODE_SLABS: s.NR_XA_NODE_SLABS * s.SLAB_WORDS,
    TASKS: s.NR_TASKS * s.TASK_WORDS,
    MMS: s.NR_MMS * s.MM_WORDS,
    VMAS: s.NR_VMAS * s.VMA_WORDS,
    ANON_VMAS: s.NR_ANON_VMAS * s.ANON_VMA_WORDS,
    ANON_VMA_CHAINS: s.NR_ANON_VMA_CHAINS * s.ANON_VMA_CHAIN_WORDS,
    ADDRESS_SPACES: s.NR_ADDRESS_SPACES * s.ADDRESS_SPACE_WORDS,
    XA_NODES: s.NR_XA_NODES * s.XA_NODE_WORDS,
    MEMMAP: s.NR_PAGES * s.PAGE_WORDS,
    PGTABLES: s.NR_PAGES * s.PTRS_PER_TABLE,
    SWAP_AREA: s.SWAP * s.SWAP_WORDS,
    SWAP_INFO: s.MAX_SWAPFILES * s.SWAP_INFO_WORDS,
    SWAP_CLUSTERS: s.NR_SWAP_CLUSTERS * s.SWAP_CLUSTER_WORDS,
    SWAP_MAP: s.MAX_SWAPFILES * s.SWAPFILE_SLOTS,
    SWAP_CACHE: s.MAX_SWAPFILES * s.SWAPFILE_SLOTS,
    SWAP_FREE: s.MAX_SWAPFILES * s.SWAPFILE_SLOTS,
    SWAP_CONT: Math.ceil((s.MAX_SWAPFILES * s.SWAPFILE_SLOTS) / s.CONTENT_WORDS),
    SWAP_CONTENT: s.MAX_SWAPFILES * s.SWAPFILE_SLOTS * s.CONTENT_WORDS,
    CONTENT: s.NR_PAGES * s.CONTENT_WORDS,
    BOOT_DATA: s.MEMORY_WORDS - s.BOOT_DATA,
  }
  return Object.entries(listed).map(([name, words]) => [name, s[name], words])
}

/** Words of the fields that have more than one, by name. */
function wordsOf(s: Symbols, name: string): number {
  const words: Record<string, number> = {
    machine$tasks: 2,
    machine$mmlist: 2,
    machine$scenario: 256,
    percpu$irq_pending: s.CPUMASK_WORDS,
    tlb_ubc$cpumask: s.CPUMASK_WORDS,
    percpu$held_locks: s.MAX_HELD_LOCKS,
    percpu$qnodes: s.QNODES * s.QNODE_WORDS,
    tlb$pages: s.MAX_GATHER_BATCH,
    percpu$tlb: 2 * s.TLB_ENTRIES,
    percpu$scenario: LINE,
    percpu$kmem_cache_cpu: s.NR_KMEM_CACHES * s.KMEM_CACHE_CPU_WORDS,
    lru_pvecs$lru_add: s.PAGEVEC_WORDS,
    lru_pvecs$activate_page: s.PAGEVEC_WORDS,
    lru_pvecs$lru_lazyfree: s.PAGEVEC_WORDS,
    task$rss_stat: s.NR_MM_COUNTERS,
    task$reg: s.NR_TASK_REGS,
    task$tasks: 2,
    mm$mmap_lock: s.RWSEM_WORDS,
    mm$rss_stat: s.NR_MM_COUNTERS,
    mm$cpu_bitmap: s.CPUMASK_WORDS,
    mm$mm_mt: s.MAX_MAP_COUNT,
    xa_node$slots: s.XA_CHUNK_SIZE,
    anon_vma$rwsem: s.RWSEM_WORDS,
    address_space$i_mmap_rwsem: s.RWSEM_WORDS,
    vma$vm_lock: s.RWSEM_WORDS,
    rwsem$wait_lock: s.LOCK_WORDS,
    swap$swapcache_wq: s.WAIT_QUEUE_HEAD_WORDS,
    zone$free_list: s.MAX_ORDER,
    zone$nr_free_blocks: s.MAX_ORDER,
    zone$free_tail: s.MAX_ORDER,
    lruvec$lists: s.NR_LRU_LISTS,
    lruvec$lru_size: s.NR_LRU_LISTS,
    page$ptl: s.LOCK_WORDS,
  }
  return words[name] ?? (/lock$/.test(name) ? s.LOCK_WORDS : 1)
}

/** Fields that share their words with others by intent, and those of parts that a configuration leaves out. */
function sharing(s: Symbols): string[] {
  const unions = ['page$pt_mm', 'page$memcg_data', 'anon_vma$rcu_next']
  const swap = ['lru_pvecs$lru_add', 'lru_pvecs$activate_page', 'lru_pvecs$lru_lazyfree']
  return [...unions, ...(s.SWAP === 0 ? swap : []), ...(s.VMA_LOCK === 0 ? ['vma$vm_lock'] : [])]
}

/** Fields `prefix$field`, by address. */
function fieldsOf(s: Symbols, prefixes: readonly string[]): [name: string, from: number][] {
  const left = sharing(s)
  return Object.entries(s)
    .filter(([name]) => prefixes.includes(name.slice(0, name.indexOf('$'))) && !left.includes(name))
    .sort((a, b) => a[1] - b[1])
}

/** Pairs of neighbouring fields of which the second begins before the first ends. */
function overlaps(s: Symbols, prefixes: readonly string[]): string[] {
  const fields = fieldsOf(s, prefixes)
  return fields
    .slice(1)
    .flatMap(([name, from], i) =>
      fields[i][1] + wordsOf(s, fields[i][0]) > from ? [`${fields[i][0]} ${name}`] : [],
    )
}

/** Fields that end behind `words`. */
function beyond(s: Symbols, prefixes: readonly string[], words: number): string[] {
  return fieldsOf(s, prefixes)
    .filter(([name, at]) => at + wordsOf(s, name) > words)
    .map(([name]) => name)
}

const PERCPU_PREFIXES = ['percpu', 'vmf', 'tlb_ubc', 'pvmw', 'scan', 'pcp', 'tlb', 'lru_pvecs']

describe.each(CONFIGURATIONS)('the memory of a machine with %s', (settings) => {
  let s: Symbols
  beforeAll(async () => {
    s = (await oneCpu(...settings.split(' '))).symbols
  })

  it('has one area behind the other, with no word of two and with none left over', () => {
    const walked = areas(s)
    const wrong = walked.slice(1).filter(([, from], i) => {
      const end = walked[i][1] + walked[i][2]
      return !(from >= end && from < end + LINE)
    })
    expect(wrong).toEqual([])
  })

  it('has no two words of the machine in one place, and all before the areas', () => {
    expect(overlaps(s, ['machine'])).toEqual([])
    expect(beyond(s, ['machine'], s.PERCPU)).toEqual([])
    const parked = fieldsOf(s, ['machine']).filter(
      ([name, at]) => at < s.PARKED + s.PARKED_BUCKETS && at + wordsOf(s, name) > s.PARKED,
    )
    expect(parked).toEqual([])
  })

  it('has no two words of a CPU in one place, and room for all', () => {
    expect(overlaps(s, PERCPU_PREFIXES)).toEqual([])
    expect(beyond(s, PERCPU_PREFIXES, s.PERCPU_WORDS)).toEqual([])
  })

  it('has oom_lock on a line of its own', () => {
    const line = s.machine$oom_lock >> 4
    expect(fieldsOf(s, ['machine']).filter(([, at]) => at >> 4 === line)).toHaveLength(1)
  })

  it.each([
    ['task', 'TASK_WORDS'],
    ['mm', 'MM_WORDS'],
    ['vma', 'VMA_WORDS'],
    ['page', 'PAGE_WORDS'],
    ['rq', 'RQ_WORDS'],
    ['rwsem', 'RWSEM_WORDS'],
    ['wait_queue_head', 'WAIT_QUEUE_HEAD_WORDS'],
    ['zone', 'ZONE_WORDS'],
    ['lruvec', 'LRUVEC_WORDS'],
    ['mem_cgroup', 'MEM_CGROUP_WORDS'],
    ['futex_queue', 'FUTEX_QUEUE_WORDS'],
    ['kmem_cache', 'KMEM_CACHE_WORDS'],
    ['kmem_cache_node', 'KMEM_CACHE_NODE_WORDS'],
    ['kmem_cache_cpu', 'KMEM_CACHE_CPU_WORDS'],
    ['slab', 'SLAB_WORDS'],
    ['anon_vma', 'ANON_VMA_WORDS'],
    ['anon_vma_chain', 'ANON_VMA_CHAIN_WORDS'],
    ['address_space', 'ADDRESS_SPACE_WORDS'],
    ['xa_node', 'XA_NODE_WORDS'],
    ['swap', 'SWAP_WORDS'],
    ['swap_info', 'SWAP_INFO_WORDS'],
    ['swap_cluster', 'SWAP_CLUSTER_WORDS'],
  ])('has room in a %s for all its fields, each in words of its own', (prefix, size) => {
    // The constants of a part that is left out are not linked.
    if (s[size] === undefined && s.SWAP === 0) return
    expect(fieldsOf(s, [prefix])).not.toEqual([])
    expect(overlaps(s, [prefix])).toEqual([])
    expect(beyond(s, [prefix], s[size])).toEqual([])
  })
})
