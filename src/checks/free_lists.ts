// The free pages: a walk of the buddy allocator's areas and of the CPUs' lists. It notes what contradicts itself on the
// way; the buddy check reports it and adds what the pages themselves say.
import { hex } from '../inspect/names.ts'
import { count, type RestingMachine } from './resting_machine.ts'

export const FRAME_ALLOCATED = 0
/** In a block of the buddy allocator. */
export const FRAME_BUDDY = 1
/** On a CPU's list. */
export const FRAME_PCP = 2

export interface FreePages {
  /** A FRAME_ constant for each frame. */
  readonly state: Uint8Array
  /** Order of the free block that begins at a frame; -1 elsewhere. */
  readonly order: Int8Array
  /** Pages in the free areas of each node. */
  readonly nodeBuddyPages: readonly number[]
  /** Those of all nodes. */
  readonly buddyPages: number
  readonly pcpPages: number
  readonly problems: readonly string[]
}

export function walkFreePages(view: RestingMachine): FreePages {
  const walk = new FreeWalk(view)
  const { NODES, MAX_ORDER } = view.symbols
  for (let nid = 0; nid < NODES; nid++) for (let order = 0; order < MAX_ORDER; order++) walk.area(nid, order)
  for (let cpu = 0; cpu < view.symbols.NR_CPUS; cpu++) walk.pcp(cpu)
  return walk
}

/** The node of a frame. */
export function nodeOf(view: RestingMachine, pfn: number): number {
  return Math.floor(pfn / view.symbols.NODE_PAGES)
}

class FreeWalk implements FreePages {
  readonly state: Uint8Array
  readonly order: Int8Array
  readonly problems: string[] = []
  readonly nodeBuddyPages: number[]
  pcpPages = 0
  readonly #view: RestingMachine

  constructor(view: RestingMachine) {
    this.#view = view
    this.state = new Uint8Array(view.symbols.NR_PAGES)
    this.order = new Int8Array(view.symbols.NR_PAGES).fill(-1)
    this.nodeBuddyPages = Array.from({ length: view.symbols.NODES }, () => 0)
  }

  get buddyPages(): number {
    return this.nodeBuddyPages.reduce((sum, pages) => sum + pages, 0)
  }

  /** free_area[order] of a node. */
  area(nid: number, order: number): void {
    const { memory, symbols: s } = this.#view
    const zone = this.#view.zone(nid)
    const list = s.NODES === 1 ? `free_area[${order}]` : `free_area[${order}] of node ${nid}`
    const pages = 1 << order
    let blocks = 0
    let previous = 0
    let page = memory[zone + s.zone$free_list + order]
    for (; page !== 0; page = memory[page + s.page$lru_next]) {
      const pfn = this.#view.pfn(page)
      if (pfn < 0 || pfn % pages !== 0 || pfn + pages > s.NR_PAGES) {
        this.problems.push(
          `${list}: link to ${hex(page)}, expected the page of a frame aligned to ${count(pages, 'page')}`,
        )
        return
      }
      if (nodeOf(this.#view, pfn) !== nid || nodeOf(this.#view, pfn + pages - 1) !== nid) {
        this.problems.push(`${list}: the block of page ${hex(pfn)} is of another node`)
        return
      }
      const taken = this.#takeBlock(pfn, pages)
      if (taken >= 0) {
        this.problems.push(
          `page ${hex(taken)} is free twice: in the block of page ${hex(pfn)} on ${list}, and before it`,
        )
        return
      }
      if (memory[page + s.page$lru_prev] !== previous)
        this.problems.push(
          `${list}: page ${hex(pfn)} links back to ${hex(memory[page + s.page$lru_prev])}, expected ${hex(previous)}`,
        )
      this.order[pfn] = order
      previous = page
      blocks++
    }
    if (memory[zone + s.zone$free_tail + order] !== previous)
      this.problems.push(
        `${list}: its last block is ${hex(memory[zone + s.zone$free_tail + order])}, expected ${hex(previous)}`,
      )
    const counted = memory[zone + s.zone$nr_free_blocks + order]
    if (counted !== blocks)
      this.problems.push(`${list}: counts ${count(counted, 'block')}, expected ${blocks}, as on its list`)
    this.nodeBuddyPages[nid] += blocks * pages
  }

  /** The list of a CPU. */
  pcp(cpu: number): void {
    const { memory, symbols: s } = this.#view
    const area = s.PERCPU + cpu * s.PERCPU_WORDS
    let length = 0
    let last = 0
    for (let page = memory[area + s.pcp$list]; page !== 0; page = memory[page + s.page$lru_next]) {
      const pfn = this.#view.pfn(page)
      if (pfn < 0) {
        this.problems.push(`cpu ${cpu}: its free list leads to ${hex(page)}, which is no page`)
        break
      }
      if (this.state[pfn] !== FRAME_ALLOCATED) {
        this.problems.push(`page ${hex(pfn)} is free twice: on the list of cpu ${cpu}, and before it`)
        break
      }
      if (nodeOf(this.#view, pfn) !== cpu % s.NODES)
        this.problems.push(`page ${hex(pfn)} of node ${nodeOf(this.#view, pfn)} is on the list of cpu ${cpu}`)
      if (last !== 0 && memory[page + s.page$lru_prev] !== last)
        this.problems.push(
          `cpu ${cpu}: page ${hex(pfn)} of its list does not link back to the page before it`,
        )
      this.state[pfn] = FRAME_PCP
      last = page
      length++
    }
    if (memory[area + s.pcp$last] !== last)
      this.problems.push(
        `cpu ${cpu}: its list ends with ${hex(memory[area + s.pcp$last])}, expected ${hex(last)}`,
      )
    const counted = memory[area + s.pcp$count]
    if (counted !== length)
      this.problems.push(`cpu ${cpu}: pcp count ${counted}, expected ${length}, as on its list`)
    this.pcpPages += length
  }

  /** Marks a block as free; returns the first frame of it that was so before, or -1. */
  #takeBlock(pfn: number, pages: number): number {
    for (let i = pfn; i < pfn + pages; i++) {
      if (this.state[i] !== FRAME_ALLOCATED) return i
      this.state[i] = FRAME_BUDDY
    }
    return -1
  }
}
