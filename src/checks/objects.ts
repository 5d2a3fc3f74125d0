// The object caches: which objects are free, by walking the lists of every CPU, every node and the arena, and each
// slab's own. Leaves out whether what is in use is reachable: leaks.ts.
import type { KernelSymbols } from '../inspect/symbols.ts'
import { hex } from '../inspect/names.ts'
import { count, type RestingMachine } from './resting_machine.ts'

/** One kmem_cache. */
export interface ObjectCache {
  readonly name: string
  readonly base: number
  readonly words: number
  readonly count: number
  /** 1 for each object that is free. */
  readonly free: Uint8Array
  /** What is wrong with the lists. */
  readonly problems: readonly string[]
  /** Number of the object at a word address; -1 if none begins there. */
  index(address: number): number
  isInUse(address: number): boolean
  /** Word addresses of all objects in use. */
  inUse(): readonly number[]
}

/** Linux's name, first object, words of one, objects of a slab, and the first struct slab. */
type Layout = readonly [name: string, base: number, words: number, objects: number, slabs: number]

/** Each cache in the order of KMEM_CACHES; with the number of its slabs. */
function layouts(s: KernelSymbols): readonly (readonly [...Layout, number])[] {
  return [
    ['task_struct', s.TASKS, s.TASK_WORDS, s.OBJECTS_PER_TASK_SLAB, s.TASK_SLABS, s.NR_TASK_SLABS],
    ['mm_struct', s.MMS, s.MM_WORDS, s.OBJECTS_PER_MM_SLAB, s.MM_SLABS, s.NR_MM_SLABS],
    ['vm_area_struct', s.VMAS, s.VMA_WORDS, s.OBJECTS_PER_VMA_SLAB, s.VMA_SLABS, s.NR_VMA_SLABS],
    [
      'anon_vma',
      s.ANON_VMAS,
      s.ANON_VMA_WORDS,
      s.OBJECTS_PER_ANON_VMA_SLAB,
      s.ANON_VMA_SLABS,
      s.NR_ANON_VMA_SLABS,
    ],
    [
      'anon_vma_chain',
      s.ANON_VMA_CHAINS,
      s.ANON_VMA_CHAIN_WORDS,
      s.OBJECTS_PER_ANON_VMA_CHAIN_SLAB,
      s.ANON_VMA_CHAIN_SLABS,
      s.NR_ANON_VMA_CHAIN_SLABS,
    ],
    [
      'address_space',
      s.ADDRESS_SPACES,
      s.ADDRESS_SPACE_WORDS,
      s.OBJECTS_PER_ADDRESS_SPACE_SLAB,
      s.ADDRESS_SPACE_SLABS,
      s.NR_ADDRESS_SPACE_SLABS,
    ],
    ['xa_node', s.XA_NODES, s.XA_NODE_WORDS, s.OBJECTS_PER_XA_NODE_SLAB, s.XA_NODE_SLABS, s.NR_XA_NODE_SLABS],
  ]
}

/** All caches by name. */
export function readCaches(view: RestingMachine): Record<string, ObjectCache> {
  return Object.fromEntries(
    layouts(view.symbols).map(([name, ...rest], i) => [name, new CacheWalk(view, i, [name, ...rest])]),
  )
}

/** The walk of one cache. A slab that is on no list is full. */
class CacheWalk implements ObjectCache {
  readonly name: string
  readonly base: number
  readonly words: number
  readonly count: number
  readonly free: Uint8Array
  readonly problems: string[] = []
  readonly #memory: Int32Array
  readonly #s: KernelSymbols
  readonly #objects: number
  readonly #slabs: number
  /** By slab: 1 when a list led to it. */
  readonly #listed: Uint8Array
  #inUse: readonly number[] | undefined

  constructor(view: RestingMachine, cache: number, layout: readonly [...Layout, number]) {
    const [name, base, words, objects, slabs, nrSlabs] = layout
    this.name = name
    this.base = base
    this.words = words
    this.count = nrSlabs * objects
    this.free = new Uint8Array(this.count)
    this.#memory = view.memory
    this.#s = view.symbols
    this.#objects = objects
    this.#slabs = slabs
    this.#listed = new Uint8Array(nrSlabs)
    this.#arena(cache)
    for (let cpu = 0; cpu < this.#s.NR_CPUS; cpu++) this.#cpu(cache, cpu)
    for (let nid = 0; nid < this.#s.NODES; nid++) this.#node(cache, nid)
    const whole = this.problems.length === 0
    for (let slab = 0; slab < nrSlabs; slab++) {
      if (this.#listed[slab] !== 0) continue
      const free = this.#slab(slab, false, 'no list')
      if (whole && free > 0) this.#problem(`slab ${slab} has ${count(free, 'free object')} and is on no list`)
    }
  }

  index(address: number): number {
    const offset = address - this.base
    return offset >= 0 && offset % this.words === 0 && offset < this.count * this.words
      ? offset / this.words
      : -1
  }

  isInUse(address: number): boolean {
    const i = this.index(address)
    return i >= 0 && this.free[i] === 0
  }

  inUse(): readonly number[] {
    return (this.#inUse ??= this.#findInUse())
  }

  #findInUse(): number[] {
    const { base, count: objects, free, words } = this
    const found: number[] = []
    for (let i = 0; i < objects; i++) if (free[i] === 0) found.push(base + i * words)
    return found
  }

  #problem(text: string): void {
    this.problems.push(`${this.name}: ${text}`)
  }

  /** Slabs that nobody uses: all their objects are free. */
  #arena(cache: number): void {
    const { KMEM_CACHES, KMEM_CACHE_WORDS, kmem_cache$free_slabs, SLAB_WORDS, slab$free_next } = this.#s
    let next = this.#memory[KMEM_CACHES + cache * KMEM_CACHE_WORDS + kmem_cache$free_slabs] & 0xffff
    while (next !== 0) {
      const slab = next - 1
      if (!this.#list(slab, 'the arena')) return
      this.free.fill(1, slab * this.#objects, (slab + 1) * this.#objects)
      next = this.#memory[this.#slabs + slab * SLAB_WORDS + slab$free_next]
    }
  }

  /** A CPU's freelist and slabs. */
  #cpu(cache: number, cpu: number): void {
    const s = this.#s
    const area = s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$kmem_cache_cpu + cache * s.KMEM_CACHE_CPU_WORDS
    const name = `cpu ${cpu}`
    const own = this.#memory[area + s.kmem_cache_cpu$slab]
    if (own !== 0) {
      const slab = this.#slabAt(own, name)
      if (slab < 0) return
      this.#slab(slab, true, name)
      this.#freelist(this.#memory[area + s.kmem_cache_cpu$freelist], slab, `the freelist of ${name}`)
    }
    const list = `the partial slabs of ${name}`
    let at = this.#memory[area + s.kmem_cache_cpu$partial]
    for (; at !== 0; at = this.#memory[at + s.slab$next]) {
      const slab = this.#slabAt(at, list)
      if (slab < 0) return
      this.#slab(slab, true, list)
    }
  }

  #node(cache: number, nid: number): void {
    const s = this.#s
    const node = s.KMEM_CACHE_NODES + (nid * s.NR_KMEM_CACHES + cache) * s.KMEM_CACHE_NODE_WORDS
    let slabs = 0
    for (
      let at = this.#memory[node + s.kmem_cache_node$partial_head];
      at !== 0;
      at = this.#memory[at + s.slab$next]
    ) {
      const slab = this.#slabAt(at, `node ${nid}`)
      if (slab < 0) return
      this.#slab(slab, false, `node ${nid}`)
      slabs++
    }
    const counted = this.#memory[node + s.kmem_cache_node$nr_partial]
    if (counted !== slabs)
      this.#problem(`node ${nid}: nr_partial ${counted}, expected ${slabs}, as on its list`)
  }

  /** Number of the slab at an address that a list leads to; -1 when that is none, or one of a list before. */
  #slabAt(address: number, list: string): number {
    const slab = (address - this.#slabs) / this.#s.SLAB_WORDS
    if (Number.isInteger(slab)) return this.#list(slab, list) ? slab : -1
    this.#problem(`${list} leads to ${hex(address)}, where no slab is`)
    return -1
  }

  #list(slab: number, list: string): boolean {
    const known = this.#listed[slab]
    if (known === undefined) this.#problem(`${list} leads to slab ${slab}, which does not exist`)
    else if (known === 1) this.#problem(`${list} leads to slab ${slab}, which is on a list before`)
    if (known !== 0) return false
    this.#listed[slab] = 1
    return true
  }

  /** A slab's own word and free objects, whose number it returns; `frozen`: it must be a CPU's. */
  #slab(slab: number, frozen: boolean, list: string): number {
    const s = this.#s
    const word = this.#memory[this.#slabs + slab * s.SLAB_WORDS + s.slab$counters]
    const first = word & s.SLAB_FREELIST_MASK
    const start = slab * this.#objects
    const head = first === 0 ? 0 : this.base + (start + first - 1) * this.words
    const free = this.#freelist(head, slab, `slab ${slab}`)
    const inUse = (word & ~s.SLAB_FROZEN) >>> s.SLAB_INUSE_SHIFT
    if (free >= 0 && inUse !== this.#objects - free)
      this.#problem(
        `slab ${slab}: in use ${inUse}, expected ${this.#objects - free}: ${count(free, 'object')} ` +
          `of ${this.#objects} on its freelist`,
      )
    if (((word & s.SLAB_FROZEN) !== 0) !== frozen)
      this.#problem(`slab ${slab} of ${list} is ${frozen ? 'not frozen' : 'frozen'}`)
    return free
  }

  /** Marks the objects of a list of free ones; their number, -1 when the list is broken. */
  #freelist(head: number, slab: number, list: string): number {
    const { free, words } = this
    const start = slab * this.#objects
    const first = this.base + start * words
    let length = 0
    let last = -1
    for (let object = head; object !== 0; object = this.#memory[object]) {
      const i = start + (object - first) / words
      if (!Number.isInteger(i) || i < start || i >= start + this.#objects || free[i] !== 0) {
        const known = this.index(object)
        const what =
          known >= 0 && free[known] !== 0 ? 'which is on a list before' : 'where no object of it is'
        this.#problem(`${last < 0 ? list : `free object ${last}`} leads to ${hex(object)}, ${what}`)
        return -1
      }
      free[i] = 1
      length++
      last = i
    }
    return length
  }
}
