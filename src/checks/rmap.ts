// Q8: from every page that a PTE maps, the way back to the VMA.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { hex } from '../inspect/names.ts'
import type { MmView, RestingMachine, VmaView } from './resting_machine.ts'

export const rmap: Check = {
  id: 'Q8',
  name: 'rmap',
  description:
    'A mapped page leads back to the VMA that maps it: by its anon_vma and a chain, or by its ' +
    "object; its index is the VMA's.",
  run(view) {
    const { symbols: s } = view
    const walk = new RmapWalk(view)
    const present = s._PAGE_PRESENT | s._PAGE_PROTNONE
    view.mappings.forEachPte((pte, addr, mm) => {
      // Entries that are not present are for Q9.
      if ((pte & present) !== 0) walk.pte(pte, addr, mm)
    })
    return walk.found.result()
  },
}

class RmapWalk {
  readonly found = new Findings()
  readonly #view: RestingMachine
  /** anon_vma that lists each chain (word address); 0: none. */
  readonly #listedBy: Int32Array
  /** (VMA, anon_vma) pairs that were found tied, and what is wrong with the others. */
  readonly #ties = new Map<string, string>()
  #vma: VmaView | undefined
  #mm: MmView | undefined

  constructor(view: RestingMachine) {
    this.#view = view
    this.#listedBy = listedChains(view)
  }

  pte(pte: number, addr: number, mm: MmView): void {
    const { memory, symbols: s } = this.#view
    const pfn = pte >>> s.PFN_SHIFT
    const vma = this.#findVma(mm, addr)
    const at = `mm ${mm.id}, ${hex(addr)}`
    if (!vma) return this.found.add(() => `${at}: PTE ${hex(pte)} lies in no VMA`)
    if (pfn >= s.NR_PAGES)
      return this.found.add(() => `${at}: PTE ${hex(pte)} maps a frame beyond the last page`)
    if ((pte & s._PAGE_SPECIAL) !== 0) return this.#special(pfn, at)
    if (this.#view.free.state[pfn] !== FRAME_ALLOCATED) return
    const page = this.#view.page(pfn)
    const mapping = memory[page + s.page$mapping]
    const index = memory[page + s.page$index]
    const linear = vma.pgoff + addr - vma.start
    if (index !== linear)
      this.found.add(() => `page ${hex(pfn)} (${at}): index ${hex(index)}, expected ${hex(linear)}`)
    if ((mapping & s.PAGE_MAPPING_ANON) === 0) this.#object(pfn, mapping, vma, at)
    else this.#anon(pfn, mapping - s.PAGE_MAPPING_ANON, vma, at)
  }

  #findVma(mm: MmView, addr: number): VmaView | undefined {
    if (this.#mm === mm && this.#vma && addr >= this.#vma.start && addr < this.#vma.end) return this.#vma
    this.#mm = mm
    this.#vma = mm.vmas.find((vma) => addr >= vma.start && addr < vma.end)
    return this.#vma
  }

  #special(pfn: number, at: string): void {
    const { memory, symbols: s } = this.#view
    const zero = this.#view.pfn(memory[s.machine$zero_page])
    // A free page is for Q7.
    if (pfn !== zero && this.#view.free.state[pfn] === FRAME_ALLOCATED)
      this.found.add(() => `${at}: a special PTE maps page ${hex(pfn)}, expected the zero page ${hex(zero)}`)
  }

  #object(pfn: number, mapping: number, vma: VmaView, at: string): void {
    const { pageCache } = this.#view
    if (mapping === 0) return this.found.add(() => `page ${hex(pfn)} is mapped (${at}) and its mapping is 0`)
    if (mapping !== vma.mapping)
      return this.found.add(
        () =>
          `page ${hex(pfn)} (${at}): mapping ${hex(mapping)}, expected ${hex(vma.mapping)}, the VMA's object`,
      )
    if (pageCache.owner[pfn] !== mapping || pageCache.index[pfn] !== this.#index(pfn))
      this.found.add(() => `page ${hex(pfn)} (${at}) is not in its object at index ${hex(this.#index(pfn))}`)
    else if (this.#index(pfn) >= this.#view.memory[mapping + this.#view.symbols.address_space$i_size])
      this.found.add(
        () => `page ${hex(pfn)} (${at}): index ${hex(this.#index(pfn))} lies beyond the object's end`,
      )
  }

  #index(pfn: number): number {
    return this.#view.memory[this.#view.page(pfn) + this.#view.symbols.page$index]
  }

  #anon(pfn: number, anonVma: number, vma: VmaView, at: string): void {
    const { symbols: s } = this.#view
    if ((vma.flags & s.VM_SHARED) !== 0)
      return this.found.add(() => `page ${hex(pfn)} (${at}) is anonymous in a shared mapping`)
    const key = `${vma.address} ${anonVma}`
    let tie = this.#ties.get(key)
    if (tie === undefined) this.#ties.set(key, (tie = this.#tie(vma, anonVma)))
    if (tie !== '') this.found.add(() => `page ${hex(pfn)} (${at}): ${tie}`)
  }

  /** What keeps a walk from `anonVma` from finding `vma`; '' if nothing does. */
  #tie(vma: VmaView, anonVma: number): string {
    const { memory, symbols: s, caches } = this.#view
    const name = `anon_vma ${caches.anon_vma.index(anonVma)}`
    if (!caches.anon_vma.isInUse(anonVma))
      return caches.anon_vma.index(anonVma) < 0
        ? `mapping ${hex(anonVma)} is no anon_vma`
        : `its ${name} is free`
    for (const avc of chainsOf(this.#view, vma.address)) {
      if (memory[avc + s.anon_vma_chain$anon_vma] !== anonVma) continue
      return this.#listedBy[caches.anon_vma_chain.index(avc)] === anonVma
        ? ''
        : `its ${name} does not list the chain of the VMA`
    }
    return `no chain ties its ${name} to the VMA of ${hex(vma.start)} to ${hex(vma.end)}`
  }
}

/** The chains of a VMA that are in use; stops where the list is broken. */
export function chainsOf(view: RestingMachine, vma: number): number[] {
  const { memory, symbols: s, caches } = view
  const chains: number[] = []
  for (
    let avc = memory[vma + s.vma$anon_vma_chain];
    avc !== 0 && caches.anon_vma_chain.isInUse(avc) && chains.length <= caches.anon_vma_chain.count;
    avc = memory[avc + s.anon_vma_chain$same_vma_next]
  )
    chains.push(avc)
  return chains
}

/** For each anon_vma_chain the anon_vma whose list it is on; 0: none. */
function listedChains(view: RestingMachine): Int32Array {
  const { memory, symbols: s, caches } = view
  const listedBy = new Int32Array(caches.anon_vma_chain.count)
  for (const anonVma of caches.anon_vma.inUse()) {
    let avc = memory[anonVma + s.anon_vma$rb_root]
    while (avc !== 0 && caches.anon_vma_chain.isInUse(avc)) {
      const i = caches.anon_vma_chain.index(avc)
      if (listedBy[i] !== 0) break
      listedBy[i] = anonVma
      avc = memory[avc + s.anon_vma_chain$rb_next]
    }
  }
  return listedBy
}
