// E11: contents of pages that others rely on. The zero page stays zero; a page of the page cache is written by a
// program only through a shared mapping, by the kernel only while it is filled or by a write to the file; and what a
// file's page holds is not lost when reclaim takes it out of the page cache: it reads as zeros afterwards. Leaves out
// who may see which contents of anonymous memory: the data oracle's.
import { isRange } from '../../step/effect.ts'
import { Kind } from '../../step/kinds.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'page-contents'
/** Write to a file's page that has contents. */
const FILE_WRITERS = ['write_file']
/** Stores of a device, past the page tables. */
const DEVICES = ['dio_read']

export const pageContents: StepCheckKind = {
  id: 'E11',
  name: NAME,
  description:
    'The zero page stays zero, a page of the page cache is written only by those who may, and no ' +
    'contents of a file are lost when it leaves.',
  cost: 'some 10 ns a store to contents',
  create: (watch) => new PageContents(watch),
}

class PageContents implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.CONTENT, Word.PAGE)
  readonly #watch: Watch
  readonly #writers: Uint8Array
  readonly #devices: Uint8Array

  constructor(watch: Watch) {
    this.#watch = watch
    this.#writers = watch.sites.of(NAME, FILE_WRITERS)
    this.#devices = watch.sites.of(NAME, DEVICES)
  }

  begin(): void {}

  step({ context, kind, addr, a, old, site }: Step): void {
    const watch = this.#watch
    if (watch.map.classOf[addr] === Word.CONTENT) {
      this.#contents(context, kind, addr, site)
      return
    }
    const { memory } = watch
    if (memory[addr] === 0 && old !== 0 && !isRange(kind) && a === 0) this.#left(context, addr, old, site)
  }

  #contents(context: number, kind: number, addr: number, site: number): void {
    const watch = this.#watch
    const { memory, s } = watch
    const pfn = (addr - watch.content) >> watch.contentShift
    const page = watch.pageOf(pfn)
    const fail = (text: string): never =>
      watch.fail(NAME, context, site, `${watch.name(addr)}: ${text}\n${watch.dumpPage(pfn)}`)
    if (page === memory[s.machine$zero_page]) fail('the zero page is written')
    const mapping = memory[page + watch.mapping]
    if (mapping === 0 || (mapping & s.PAGE_MAPPING_ANON) !== 0) return
    if (kind !== Kind.USER_WRITE) {
      if ((memory[page + s.page$flags] & s.PG_uptodate) !== 0 && this.#writers[site] === 0)
        fail('the kernel overwrites a page of the page cache that has its contents')
    } else if (this.#devices[site] === 0 && !this.#mayStore(watch.cpuOf(context), pfn))
      fail('a program stores to a page of the page cache, which it has no shared mapping of')
  }

  /** Whether the CPU's program may store to the page: it has it writable, and not in a private mapping alone. */
  #mayStore(cpu: number, pfn: number): boolean {
    const { memory, s, pfnShift } = this.#watch
    const area = s.PERCPU + cpu * s.PERCPU_WORDS
    const first = area + s.percpu$tlb
    for (let at = first; at < first + 2 * s.TLB_ENTRIES; at += 2) {
      if (memory[at] === 0 || memory[at + 1] >>> pfnShift !== pfn || (memory[at + 1] & s._PAGE_RW) === 0)
        continue
      if (!this.#isPrivate(memory[area + s.percpu$loaded_mm], memory[at] - 1)) return true
    }
    return false
  }

  /** Whether a VMA of `mm` maps page `addr` privately. One that is being taken away may be in no map any more. */
  #isPrivate(mm: number, addr: number): boolean {
    const { memory, s, dead, map } = this.#watch
    for (let i = 0; i < memory[mm + s.mm$map_count]; i++) {
      const vma = memory[mm + s.mm$mm_mt + i]
      if (vma < s.VMAS || dead.words[map.unitOf[vma]] !== 0) continue
      if (memory[vma + s.vma$vm_start] <= addr && addr < memory[vma + s.vma$vm_end])
        return (memory[vma + s.vma$vm_flags] & s.VM_SHARED) === 0
    }
    return false
  }

  /** A page leaves the page cache: what a file in use has there must be what it reads as. */
  #left(context: number, addr: number, mapping: number, site: number): void {
    const watch = this.#watch
    const { memory, s } = watch
    const pfn = watch.pfnOf(addr)
    const page = watch.pageOf(pfn)
    if (addr !== page + watch.mapping || (mapping & s.PAGE_MAPPING_ANON) !== 0) return
    if (memory[mapping + s.address_space$i_count] <= 0) return
    if ((memory[page + s.page$flags] & s.PG_uptodate) === 0) return
    const file = memory[mapping + s.address_space$kind] === s.ADDRESS_SPACE_FILE
    const first = watch.content + (pfn << watch.contentShift)
    for (let at = first; at < first + s.CONTENT_WORDS; at++)
      if (!file || memory[at] !== 0)
        watch.fail(
          NAME,
          context,
          site,
          `page ${hex(pfn)} leaves ${watch.name(mapping)}, which is in use, and ${watch.name(at)} is ` +
            `${memory[at]}: its contents are lost\n${watch.dumpPage(pfn)}`,
        )
  }
}
