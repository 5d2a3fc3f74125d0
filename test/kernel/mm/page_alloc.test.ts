// src/kernel/mm/page_alloc.ts on a machine of several memory nodes. What one node does shows in every other test.
import { beforeEach, describe, expect, it } from 'vitest'
import { runChecks } from '../../../src/checks/index.ts'
import { type OneCpu, oneCpu } from '../machine.ts'

const GFP_NOWAIT = 0

let m: OneCpu
let k: OneCpu['kernel']

/** Numbers of pages that were allocated, until there are no more or `most` of them. */
function takePages(most = Infinity): number[] {
  const pfns: number[] = []
  while (pfns.length < most) {
    const page = k.alloc_page(GFP_NOWAIT) as number
    if (page === 0) break
    pfns.push((page - m.symbols.MEMMAP) / m.symbols.PAGE_WORDS)
  }
  return pfns
}

function giveBack(pfns: readonly number[]): void {
  for (const pfn of pfns) {
    const page = m.symbols.MEMMAP + pfn * m.symbols.PAGE_WORDS
    m.memory[page + m.symbols.page$_refcount] = 0
    k.__put_page(page)
  }
}

const nodeOf = (pfn: number): number => Math.floor(pfn / m.symbols.NODE_PAGES)
const freeOf = (nid: number): number =>
  m.memory[m.symbols.ZONES + nid * m.symbols.ZONE_WORDS + m.symbols.zone$nr_free]
const onList = (): number => m.memory[m.symbols.PERCPU + m.symbols.pcp$count]
const buddyCheck = (): string | undefined =>
  runChecks(m, 'running').find(({ name }) => name.startsWith('Q6'))?.detail

describe('alloc_page on four nodes', () => {
  beforeEach(async () => {
    // 226 pages a node: the last block of one has its buddy in the next.
    m = await oneCpu('MEMORY=3612K', 'NODES=4')
    k = m.kernel
  })

  it('takes pages of its own node as long as that is above its watermark', () => {
    expect(takePages(100).map(nodeOf)).toEqual(Array.from({ length: 100 }, () => 0))
  })

  it('then those of the other nodes, one node after the other, to the minimum of each', () => {
    const nodes = takePages().map(nodeOf)
    const first = [1, 2, 3].map((nid) => nodes.indexOf(nid))
    expect(first).toEqual(first.toSorted((a, b) => a - b))
    expect(first[0]).toBeGreaterThan(0)
    const min = m.memory[m.symbols.ZONES + m.symbols.zone$watermark_min]
    expect([0, 1, 2, 3].map(freeOf)).toEqual([min, min, min, min])
  })

  it("puts another node's page back into its zone, not on the list of this CPU", () => {
    const far = takePages().filter((pfn) => nodeOf(pfn) === 2)
    const [free, list] = [freeOf(2), onList()]
    giveBack(far)
    expect(freeOf(2)).toBe(free + far.length)
    expect(onList()).toBe(list)
  })

  it('never merges blocks of two nodes', () => {
    giveBack(takePages())
    k.drain_local_pages()
    expect(buddyCheck()).toBeUndefined()
  })

  it('counts pages and watermarks of all nodes together', () => {
    k.setup_per_zone_wmarks(40, 8)
    expect(k.high_wmark_pages()).toBe(40 + 2 * 8)
    expect(k.totalram_pages()).toBe(m.symbols.NR_PAGES - 2)
    expect(k.nr_free_pages()).toBe([0, 1, 2, 3].reduce((sum, nid) => sum + freeOf(nid), 0))
  })
})

describe('the list of a CPU', () => {
  const list = (): number[] => {
    const pfns: number[] = []
    let page = m.memory[m.symbols.PERCPU + m.symbols.pcp$list]
    for (; page !== 0; page = m.memory[page + m.symbols.page$lru_next])
      pfns.push((page - m.symbols.MEMMAP) / m.symbols.PAGE_WORDS)
    return pfns
  }
  const batch = (): number => m.memory[m.symbols.ZONES + m.symbols.zone$pcp_batch]
  const high = (): number => m.memory[m.symbols.ZONES + m.symbols.zone$pcp_high]

  beforeEach(async () => {
    m = await oneCpu('MEMORY=16M')
    k = m.kernel
    k.drain_local_pages()
  })

  it('is filled with pages in the order of their numbers', () => {
    const [first] = takePages(1)
    expect(list()).toEqual(Array.from({ length: batch() - 1 }, (_, i) => first + 1 + i))
  })

  it('gives the page that was freed last', () => {
    const [a, b] = takePages(2)
    giveBack([a, b])
    expect(takePages(2)).toEqual([b, a])
  })

  it('gives those back to the zone that have been there longest', () => {
    const pfns = takePages(high())
    k.drain_local_pages()
    giveBack(pfns)
    expect(list()).toEqual(pfns.slice(batch()).toReversed())
  })

  it('gives no page while the zone has no more than its watermark', () => {
    giveBack(takePages(2))
    expect(onList()).toBeGreaterThan(0)
    k.setup_per_zone_wmarks(k.totalram_pages(), 1)
    expect(takePages(1)).toEqual([])
  })
})

describe('a free block', () => {
  beforeEach(async () => {
    m = await oneCpu('MEMORY=4M')
    k = m.kernel
    k.drain_local_pages()
  })

  it('whose neighbour is free, too, is taken last: it may merge soon', () => {
    // Four pages in a row of one block, of which the second half comes back first.
    const pfns = takePages(16)
    const start = pfns.findIndex((pfn) => pfn % 4 === 0)
    const four = pfns.slice(start, start + 4)
    expect(four).toEqual([0, 1, 2, 3].map((i) => four[0] + i))
    giveBack([four[2], four[3]])
    k.drain_local_pages()
    const other = pfns.find((pfn) => !four.includes(pfn)) as number
    giveBack([other])
    k.drain_local_pages()
    giveBack([four[0]])
    k.drain_local_pages()
    const tail = m.memory[m.symbols.ZONES + m.symbols.zone$free_tail]
    expect((tail - m.symbols.MEMMAP) / m.symbols.PAGE_WORDS).toBe(four[0])
  })
})

describe('__free_pages_ok', () => {
  const ORDER = 2

  beforeEach(async () => {
    m = await oneCpu('MEMORY=4M')
    k = m.kernel
    k.drain_local_pages()
  })

  it('gives a compound page back as one block, not to the list of this CPU', () => {
    const [free, list] = [freeOf(0), onList()]
    const head = k.alloc_pages(GFP_NOWAIT, ORDER) as number
    expect(freeOf(0)).toBe(free - (1 << ORDER))
    k.put_page(head)
    expect([freeOf(0), onList()]).toEqual([free, list])
    expect(buddyCheck()).toBeUndefined()
  })

  it('leaves neither head nor tails behind', () => {
    const head = k.alloc_pages(GFP_NOWAIT, ORDER) as number
    const tail = head + m.symbols.PAGE_WORDS
    expect(m.memory[tail + m.symbols.page$compound_head]).toBe(head + 1)
    k.put_page(head)
    expect(m.memory[head + m.symbols.page$flags] & m.symbols.PG_head).toBe(0)
    expect(m.memory[tail + m.symbols.page$compound_head]).toBe(0)
  })
})
