// The object caches: which objects are in use, by walking each cache's free list.
import type { KernelSymbols } from '../inspect/symbols.ts'
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

/** One kmem_cache. */
export interface ObjectCache {
  readonly name: string
  readonly base: number
  readonly words: number
  readonly count: number
  /** 1 for each object that is on the free list. */
  readonly free: Uint8Array
  readonly freeCount: number
  /** kmem_cache$in_use. */
  readonly counted: number
  /** What is wrong with the free list. */
  readonly problems: readonly string[]
  /** Number of the object at a word address; -1 if none begins there. */
  index(address: number): number
  isInUse(address: number): boolean
  /** Word addresses of all objects in use. */
  inUse(): number[]
}

/** Each cache in the order of KMEM_CACHES: Linux's name, first object, words, objects. */
function layouts(s: KernelSymbols): [string, number, number, number][] {
  return [
    ['task_struct', s.TASKS, s.TASK_WORDS, s.NR_TASKS],
    ['mm_struct', s.MMS, s.MM_WORDS, s.NR_MMS],
    ['vm_area_struct', s.VMAS, s.VMA_WORDS, s.NR_VMAS],
    ['anon_vma', s.ANON_VMAS, s.ANON_VMA_WORDS, s.NR_ANON_VMAS],
    ['anon_vma_chain', s.ANON_VMA_CHAINS, s.ANON_VMA_CHAIN_WORDS, s.NR_ANON_VMA_CHAINS],
    ['address_space', s.ADDRESS_SPACES, s.ADDRESS_SPACE_WORDS, s.NR_ADDRESS_SPACES],
    ['xa_node', s.XA_NODES, s.XA_NODE_WORDS, s.NR_XA_NODES],
  ]
}

/** All caches by name. */
export function readCaches(view: RestingMachine): Record<string, ObjectCache> {
  const { KMEM_CACHES, KMEM_CACHE_WORDS } = view.symbols
  return Object.fromEntries(
    layouts(view.symbols).map(([name, base, words, total], i) => [
      name,
      readCache(view, KMEM_CACHES + i * KMEM_CACHE_WORDS, name, base, words, total),
    ]),
  )
}

function readCache(
  view: RestingMachine,
  cache: number,
  name: string,
  base: number,
  words: number,
  total: number,
): ObjectCache {
  const { memory, symbols: s } = view
  const free = new Uint8Array(total)
  const problems: string[] = []
  const index = (address: number): number => {
    const offset = address - base
    return offset >= 0 && offset % words === 0 && offset < total * words ? offset / words : -1
  }
  let freeCount = 0
  let from = 'the free list'
  for (let object = memory[cache + s.kmem_cache$freelist]; object !== 0; object = memory[object]) {
    const i = index(object)
    if (i < 0 || free[i] !== 0) {
      problems.push(
        `${name}: ${from} leads to ${hex(object)}, ${i < 0 ? 'where no object is' : 'which is on the list before'}`,
      )
      break
    }
    free[i] = 1
    freeCount++
    from = `free object ${i}`
  }
  return {
    name,
    base,
    words,
    count: total,
    free,
    freeCount,
    counted: memory[cache + s.kmem_cache$in_use],
    problems,
    index,
    isInUse: (address) => {
      const i = index(address)
      return i >= 0 && free[i] === 0
    },
    inUse: () => {
      const found: number[] = []
      for (let i = 0; i < total; i++) if (free[i] === 0) found.push(base + i * words)
      return found
    },
  }
}
