// The page cache: which frames the objects (address_space) hold, by a walk of each one's i_pages.
import { hex } from '../inspect/names.ts'
import type { RestingMachine } from './resting_machine.ts'

export interface PageCache {
  /** For each frame the slots of objects that hold it. */
  readonly refs: Int32Array
  /** For each frame the object (word address) that holds it. */
  readonly owner: Int32Array
  /** And at which index. */
  readonly index: Int32Array
  /** For each xa_node how often it was reached. */
  readonly nodes: Uint8Array
  /** What is wrong with the trees, for the check of leaks. */
  readonly problems: readonly string[]
}

const LEVELS = 3

export function walkPageCache(view: RestingMachine): PageCache {
  const walk = new CacheWalk(view)
  for (const mapping of view.caches.address_space.inUse()) walk.object(mapping)
  return walk
}

class CacheWalk implements PageCache {
  readonly refs: Int32Array
  readonly owner: Int32Array
  readonly index: Int32Array
  readonly nodes: Uint8Array
  readonly problems: string[] = []
  readonly #view: RestingMachine
  #pages = 0

  constructor(view: RestingMachine) {
    this.#view = view
    this.refs = new Int32Array(view.symbols.NR_PAGES)
    this.owner = new Int32Array(view.symbols.NR_PAGES)
    this.index = new Int32Array(view.symbols.NR_PAGES)
    this.nodes = new Uint8Array(view.symbols.NR_XA_NODES)
  }

  object(mapping: number): void {
    const { memory, symbols: s } = this.#view
    this.#pages = 0
    const root = memory[mapping + s.address_space$i_pages]
    if (root !== 0) this.#node(mapping, root, LEVELS - 1, 0)
    const nrpages = memory[mapping + s.address_space$nrpages]
    if (nrpages !== this.#pages)
      this.problems.push(
        `${this.#name(mapping)}: nrpages ${nrpages}, expected ${this.#pages}, as in its i_pages`,
      )
  }

  #node(mapping: number, node: number, level: number, start: number): void {
    const { memory, symbols: s } = this.#view
    const cache = this.#view.caches.xa_node
    if (!cache.isInUse(node)) {
      this.problems.push(`${this.#name(mapping)}: i_pages leads to ${hex(node)}, which is no xa_node in use`)
      return
    }
    const number = cache.index(node)
    if (this.nodes[number]++ > 0) {
      this.problems.push(`${this.#name(mapping)}: xa_node ${number} is reached twice`)
      return
    }
    let used = 0
    for (let i = 0; i < s.XA_CHUNK_SIZE; i++) {
      const entry = memory[node + s.xa_node$slots + i]
      if (entry === 0) continue
      used++
      const index = start + i * 2 ** (level * s.XA_CHUNK_SHIFT)
      if (level > 0) this.#node(mapping, entry, level - 1, index)
      else this.#page(mapping, entry, index)
    }
    if (memory[node + s.xa_node$count] !== used)
      this.problems.push(
        `${this.#name(mapping)}: xa_node ${number} counts ${memory[node + s.xa_node$count]}, expected ${used}`,
      )
  }

  #page(mapping: number, page: number, index: number): void {
    const pfn = this.#view.pfn(page)
    this.#pages++
    if (pfn < 0) {
      this.problems.push(`${this.#name(mapping)}: index ${index} holds ${hex(page)}, which is no page`)
      return
    }
    this.refs[pfn]++
    this.owner[pfn] = mapping
    this.index[pfn] = index
  }

  #name(mapping: number): string {
    return `address_space ${this.#view.caches.address_space.index(mapping)}`
  }
}
