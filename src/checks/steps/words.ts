// What kind of word lies at each address, as far as a check at every step wants to know, and which page, table or
// object it belongs to: both are looked up once a step. Leaves out names for people: src/inspect/names.ts.
import type { KernelSymbols } from '../../inspect/symbols.ts'

/** Classes of words. */
export const Word = {
  OTHER: 0,
  /** Entries of page tables of every level. */
  ENTRY: 1,
  /** The flags of struct page, which say what is a page table. */
  PAGE_FLAGS: 2,
  REFCOUNT: 3,
  MAPCOUNT: 4,
  COMPOUND_HEAD: 5,
  /** The other words of struct page. */
  PAGE: 6,
  CONTENT: 7,
  /** Words of objects of the caches, but those below. */
  OBJECT: 8,
  MM_PGD: 9,
  MM_RSS: 10,
  MMAP_LOCK: 11,
  FLUSH_PENDING: 12,
  /** Words of the swap maps. */
  SWAP_MAP: 13,
  /** The lock of a page table, in its struct page. */
  TABLE_LOCK: 14,
  /** The swap caches, and contents of slots. */
  SWAP_DATA: 15,
  /** How many read-side sections a CPU is in. */
  RCU_NESTING: 16,
} as const

export const WORD_CLASSES = 17
export const ALL_WORDS = (1 << WORD_CLASSES) - 1

/** The bit of each class in a set of classes. */
export function wordSet(...classes: number[]): number {
  return classes.reduce((set, word) => set | (1 << word), 0)
}

/** One cache of objects. */
export interface Cache {
  readonly name: string
  readonly base: number
  readonly words: number
  readonly count: number
  /** Unit number of its first object. */
  readonly unit: number
}

/** The map of an image's memory: class and unit of each word. A unit is what is allocated and freed as one; 0: none. */
export interface WordMap {
  readonly classOf: Uint8Array
  readonly unitOf: Int32Array
  readonly units: number
  /** Unit of page frame 0; the others follow. */
  readonly pageUnit: number
  /** Unit of the entries that page frame 0 has as a page table; the others follow. */
  readonly tableUnit: number
  readonly caches: readonly Cache[]
}

export function mapWords(s: KernelSymbols): WordMap {
  const classOf = new Uint8Array(s.MEMORY_WORDS)
  const unitOf = new Int32Array(s.MEMORY_WORDS)
  const pageUnit = 1
  const tableUnit = pageUnit + s.NR_PAGES
  let units = tableUnit + s.NR_PAGES
  const caches: Cache[] = []
  for (const [name, base, words, count] of cacheLayouts(s)) {
    caches.push({ name, base, words, count, unit: units })
    classOf.fill(Word.OBJECT, base, base + words * count)
    for (let i = 0; i < count; i++) unitOf.fill(units + i, base + i * words, base + (i + 1) * words)
    units += count
  }
  for (let cpu = 0; cpu < s.NR_CPUS; cpu++)
    classOf[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$rcu_nesting] = Word.RCU_NESTING
  for (let i = 0; i < s.NR_MMS; i++) {
    const mm = s.MMS + i * s.MM_WORDS
    classOf[mm + s.mm$pgd] = Word.MM_PGD
    classOf[mm + s.mm$mmap_lock + s.rwsem$count] = Word.MMAP_LOCK
    classOf[mm + s.mm$tlb_flush_pending] = Word.FLUSH_PENDING
    classOf.fill(Word.MM_RSS, mm + s.mm$rss_stat, mm + s.mm$rss_stat + s.NR_MM_COUNTERS)
  }
  for (let pfn = 0; pfn < s.NR_PAGES; pfn++) {
    const page = s.MEMMAP + pfn * s.PAGE_WORDS
    classOf.fill(Word.PAGE, page, page + s.PAGE_WORDS)
    classOf[page + s.page$flags] = Word.PAGE_FLAGS
    classOf[page + s.page$_refcount] = Word.REFCOUNT
    classOf[page + s.page$_mapcount] = Word.MAPCOUNT
    classOf[page + s.page$compound_head] = Word.COMPOUND_HEAD
    classOf[page + s.page$ptl] = Word.TABLE_LOCK
    unitOf.fill(pageUnit + pfn, page, page + s.PAGE_WORDS)
    const content = s.CONTENT + pfn * s.CONTENT_WORDS
    classOf.fill(Word.CONTENT, content, content + s.CONTENT_WORDS)
    unitOf.fill(pageUnit + pfn, content, content + s.CONTENT_WORDS)
    const entries = s.PGTABLES + pfn * s.PTRS_PER_TABLE
    unitOf.fill(tableUnit + pfn, entries, entries + s.PTRS_PER_TABLE)
  }
  classOf.fill(Word.SWAP_MAP, s.SWAP_MAP, s.SWAP_CACHE)
  classOf.fill(Word.SWAP_DATA, s.SWAP_CACHE, s.SWAP_FREE)
  if (s.SWAP !== 0) classOf.fill(Word.SWAP_DATA, s.SWAP_CONTENT, s.CONTENT)
  classOf.fill(Word.ENTRY, s.PGTABLES, s.PGTABLES + s.NR_PAGES * s.PTRS_PER_TABLE)
  return { classOf, unitOf, units, pageUnit, tableUnit, caches }
}

/** Name, first object, words and number of objects of each cache. */
function cacheLayouts(s: KernelSymbols): [string, number, number, number][] {
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
