// The layout of the machine's memory (src/kernel/arch/memory_map.ts, percpu.ts, structs.ts): nothing lies upon anything else.
import { describe, expect, it } from 'vitest'
import { oneCpu } from './machine.ts'

type Symbols = Readonly<Record<string, number>>

const CONFIGURATIONS = [
  'NR_CPUS=1 SWAP=n',
  'NR_CPUS=64 SWAP=n VMA_LOCK=y',
  'NR_CPUS=64 SWAP=y',
  'NR_CPUS=65 SWAP=y MEMCG=y',
  'NR_CPUS=256 SWAP=y MEMCG=y VMA_LOCK=y',
  'NR_CPUS=256 SWAP=n',
]

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
    tlb$pages: s.MMU_GATHER_BUNDLE,
    percpu$tlb: 2 * s.TLB_ENTRIES,
    task$rss_stat: s.NR_MM_COUNTERS,
    task$reg: s.NR_TASK_REGS,
    task$tasks: 2,
    mm$rss_stat: s.NR_MM_COUNTERS,
    mm$cpu_bitmap: s.CPUMASK_WORDS,
    xa_node$slots: s.XA_CHUNK_SIZE,
  }
  return words[name] ?? 1
}

/** Fields `prefix$field`, by address. */
function fieldsOf(s: Symbols, prefixes: readonly string[]): [name: string, from: number][] {
  return Object.entries(s)
    .filter(([name]) => prefixes.includes(name.slice(0, name.indexOf('$'))))
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

const PERCPU_PREFIXES = ['percpu', 'vmf', 'tlb_ubc', 'pvmw', 'scan', 'pcp', 'tlb']

describe.each(CONFIGURATIONS)('the memory of a machine with %s', (settings) => {
  const symbols = async (): Promise<Symbols> => (await oneCpu(...settings.split(' '))).symbols

  it('has no two words of the machine in one place', async () => {
    expect(overlaps(await symbols(), ['machine'])).toEqual([])
  })

  it('has no two words of a CPU in one place', async () => {
    expect(overlaps(await symbols(), PERCPU_PREFIXES)).toEqual([])
  })

  it('has oom_lock on a line of its own', async () => {
    const s = await symbols()
    const line = s.machine$oom_lock >> 4
    expect(fieldsOf(s, ['machine']).filter(([, at]) => at >> 4 === line)).toHaveLength(1)
  })

  it.each([
    ['task', 'TASK_WORDS'],
    ['mm', 'MM_WORDS'],
    ['vma', 'VMA_WORDS'],
    ['page', 'PAGE_WORDS'],
    ['rq', 'RQ_WORDS'],
    ['zone', 'ZONE_WORDS'],
    ['kmem_cache', 'KMEM_CACHE_WORDS'],
    ['anon_vma', 'ANON_VMA_WORDS'],
    ['anon_vma_chain', 'ANON_VMA_CHAIN_WORDS'],
    ['address_space', 'ADDRESS_SPACE_WORDS'],
    ['xa_node', 'XA_NODE_WORDS'],
    ['swap', 'SWAP_WORDS'],
    ['swap_info', 'SWAP_INFO_WORDS'],
    ['swap_cluster', 'SWAP_CLUSTER_WORDS'],
  ])('has room in a %s for all its fields', async (prefix, size) => {
    const s = await symbols()
    const conditional = prefix === 'vma' && s.VMA_WORDS === s.VMA_FIELDS ? 'vma$vm_lock' : ''
    const beyond = fieldsOf(s, [prefix]).filter(
      ([name, at]) => name !== conditional && at + wordsOf(s, name) > s[size],
    )
    expect(beyond).toEqual([])
  })
})
