// Swap on one CPU: src/kernel/mm/{swapfile,swap_state,page_io,madvise_lru,migrate,vmscan,rmap}, and do_swap_page. Every test ends with the
// checks at rest.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runChecks } from '../../../src/checks/index.ts'
import { readSwapEntry } from '../../../src/checks/swap.ts'
import { type OneCpu, oneCpu } from '../machine.ts'

const RW = 3
const READ = 1
const PRIVATE_FIXED = 0x12
const MOVE_FIXED = 3
const DONTNEED = 4
const FREE = 8
const PAGEOUT = 21
const SIGBUS = 7
const EBUSY = 16
const EINVAL = 22
const SYNCHRONOUS_IO = 1 << 12
const BASE = 4096
const PAGES = 8
/** Keeps a child from running. */
const NO_PROGRAM = 0

let m: OneCpu
let k: OneCpu['kernel']

/** Boots with SWAP=y, maps PAGES pages and fills them. */
async function boot(...settings: string[]): Promise<void> {
  m = await oneCpu('SWAP=y', ...settings)
  k = m.kernel
  k.sys_mmap(BASE, PAGES, RW, PRIVATE_FIXED, 0, 0)
  fill()
}

function fill(first = 1000): void {
  for (let i = 0; i < PAGES; i++) expect(k.user_store(BASE + i, 0, first + i)).toBe(0)
}

function expectFilled(first = 1000): void {
  for (let i = 0; i < PAGES; i++) expect(k.user_load(BASE + i, 0)).toBe(first + i)
}

/** Word address of the PTE of a page number. */
function ptep(addr: number, mm = m.mm()): number {
  const { symbols: s, memory } = m
  const shifts = [s.P4D_SHIFT, s.PUD_SHIFT, s.PMD_SHIFT, 0]
  const sizes = [0, s.PTRS_PER_PUD, s.PTRS_PER_PMD, s.PTRS_PER_PTE]
  let entries = memory[mm + s.mm$pgd]
  for (let level = 0; level < 4; level++) {
    const index = level === 0 ? addr >>> shifts[0] : (addr >>> shifts[level]) & (sizes[level] - 1)
    if (level === 3) return entries + index
    entries = memory[s.MEMMAP + (memory[entries + index] >>> s.PFN_SHIFT) * s.PAGE_WORDS + s.page$pt_entries]
  }
  return 0
}

const pte = (addr: number, mm?: number): number => m.memory[ptep(addr, mm)]
const present = (addr: number): boolean => (pte(addr) & m.symbols._PAGE_PRESENT) !== 0
const entry = (addr: number): ReturnType<typeof readSwapEntry> =>
  readSwapEntry(pte(addr), m.symbols.PFN_SHIFT)
const swapMap = (device: number, offset: number): number =>
  m.memory[m.symbols.SWAP_MAP + device * m.symbols.SWAPFILE_SLOTS + offset]
const pageOut = (n = PAGES): number => k.sys_madvise(BASE, n, PAGEOUT) as number
const swapped = (): number[] => Array.from({ length: PAGES }, (_, i) => i).filter((i) => !present(BASE + i))

beforeEach(() => boot())

afterEach(() => {
  k.lru_add_drain()
  const failed = runChecks({ memory: m.memory, symbols: m.symbols }, 'running').filter(
    (one) => one.ok === false,
  )
  // The first task was made by hand: it is on no queue, and its CPU still has the mm.
  expect(failed.filter(({ name }) => !/^Q9|^Q11/.test(name))).toEqual([])
})

describe('a page that is swapped out', () => {
  it('leaves a swap entry, exclusive if nobody else had the page, and comes back with its contents', () => {
    expect(k.sys_swapon(32, 0)).toBe(0)
    expect(pageOut()).toBe(0)
    expect(swapped()).toHaveLength(PAGES)
    expect(entry(BASE)).toMatchObject({ kind: 'swap', device: 0, exclusive: true })
    expect(m.rss()[2]).toBe(PAGES)
    expectFilled()
    expect(m.rss()[1]).toBe(PAGES)
    expect(m.rss()[2]).toBe(0)
  })

  it('gives its slot back when it is read past the swap cache', () => {
    k.sys_swapon(32, SYNCHRONOUS_IO)
    pageOut()
    const { offset } = entry(BASE)
    expect(swapMap(0, offset)).toBe(1)
    k.user_load(BASE, 0)
    expect(swapMap(0, offset)).toBe(0)
  })

  it('takes the slot that was freed last', () => {
    k.sys_swapon(32, SYNCHRONOUS_IO)
    pageOut(1)
    const { offset } = entry(BASE)
    k.user_load(BASE, 0)
    pageOut(1)
    expect(entry(BASE).offset).toBe(offset)
  })

  it('may be written at once when it comes back by a write', () => {
    k.sys_swapon(32, 0)
    pageOut()
    expect(k.user_store(BASE, 0, 7)).toBe(0)
    expect(pte(BASE) & m.symbols._PAGE_RW).not.toBe(0)
    expect(k.user_load(BASE, 0)).toBe(7)
  })

  it('brings its neighbours along', () => {
    k.sys_swapon(32, 0)
    k.set_page_cluster(2)
    pageOut()
    k.user_load(BASE + 3, 0)
    const { offset, device } = entry(BASE + 2)
    expect(swapMap(device, offset) & m.symbols.SWAP_HAS_CACHE).not.toBe(0)
    expectFilled()
  })

  it('can be discarded, protected and moved', () => {
    k.sys_swapon(32, 0)
    pageOut()
    expect(k.sys_madvise(BASE, 2, DONTNEED)).toBe(0)
    expect(k.sys_mprotect(BASE + 2, 2, READ)).toBe(0)
    const at = BASE + 64
    expect(k.sys_mremap(BASE + 4, 4, 4, MOVE_FIXED, at)).toBe(at)
    expect(k.user_load(BASE, 0)).toBe(0)
    expect(k.user_load(BASE + 2, 0)).toBe(1002)
    expect(k.user_load(at + 1, 0)).toBe(1005)
  })
})

describe('fork', () => {
  it('takes a use of the slot for the child and puts it on mmlist behind its parent', () => {
    k.sys_swapon(32, 0)
    pageOut()
    const { offset } = entry(BASE)
    expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expect(swapMap(0, offset)).toBe(2)
    expect(entry(BASE).exclusive).toBe(false)
    const { symbols: s, memory } = m
    const first = memory[s.machine$mmlist]
    expect(first).toBe(m.mm() + s.mm$mmlist_next)
    expect(memory[first]).not.toBe(s.machine$mmlist)
    expectFilled()
  })

  it('counts uses above SWAP_MAP_MAX in continuation pages', async () => {
    await boot('SWAP_MAP_MAX=1')
    k.sys_swapon(32, 0)
    pageOut(2)
    const { offset } = entry(BASE)
    for (let i = 0; i < 40; i++) expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expect(swapMap(0, offset) & m.symbols.COUNT_CONTINUED).not.toBe(0)
  })

  it('starts again with a continuation page where it could not have one under its locks', async () => {
    await boot('SWAP_MAP_MAX=1')
    k.sys_swapon(32, 0)
    k.set_fail_page_alloc(1)
    pageOut()
    expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expectFilled()
  })
})

describe('a device', () => {
  it('that is full leaves the pages where they are', () => {
    k.sys_swapon(3, 0)
    pageOut()
    expect(swapped()).toHaveLength(3)
    expectFilled()
  })

  it('that does not write keeps nothing', () => {
    k.sys_swapon(32, 0)
    k.swap_device_set(0, 0, 0, 1)
    pageOut()
    expectFilled()
  })

  it('that does not read gives SIGBUS for the page, and other pages are as they were', () => {
    k.sys_swapon(32, SYNCHRONOUS_IO)
    pageOut()
    k.swap_device_set(0, 0, 1, 0)
    expect(k.user_store(BASE, 0, 1)).toBe(SIGBUS)
    k.swap_device_set(0, 0, 0, 0)
    expect(k.user_load(BASE + 1, 0)).toBe(1001)
  })

  it('goes when its pages have been brought back, and may come again', () => {
    const device = k.sys_swapon(32, 0) as number
    pageOut()
    k.sys_fork(NO_PROGRAM)
    expect(k.sys_swapoff(device)).toBe(0)
    expect(swapped()).toEqual([])
    expect(m.memory[m.symbols.machine$mmlist]).toBe(m.symbols.machine$mmlist)
    expectFilled()
    expect(k.sys_swapon(32, 0)).toBe(device)
  })

  it('that could not read a page leaves the mark of that when it goes', () => {
    k.sys_swapon(32, 0)
    pageOut(1)
    k.swap_device_set(0, 0, 1, 0)
    expect(k.sys_swapoff(0)).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(0)
    expect(k.user_signal()).toBe(SIGBUS)
  })

  it('cannot be turned off twice, nor on without room for it', () => {
    expect(k.sys_swapoff(0)).toBe(-EINVAL)
    expect(k.sys_swapon(0, 0)).toBe(-EINVAL)
    expect(k.sys_swapon(1, 0)).toBe(0)
    expect(k.sys_swapon(1, 0)).toBe(1)
    expect(k.sys_swapon(1, 0)).toBe(-EBUSY)
  })
})

describe('MADV_FREE', () => {
  it('lets a page go without a copy', () => {
    expect(k.sys_madvise(BASE, PAGES, FREE)).toBe(0)
    expectFilled()
    pageOut()
    expect(k.user_load(BASE, 0)).toBe(0)
  })

  it('keeps a page that was written again', () => {
    k.sys_swapon(32, 0)
    k.sys_madvise(BASE, PAGES, FREE)
    fill(2000)
    pageOut()
    expectFilled(2000)
  })

  it('gives up the slots of pages that are swapped out', () => {
    k.sys_swapon(32, 0)
    pageOut()
    k.sys_madvise(BASE, PAGES, FREE)
    expect(m.rss()[2]).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(0)
  })
})

describe('move_pages', () => {
  it('moves a page to another frame, with its contents and rights', () => {
    k.sys_madvise(BASE, 0, PAGEOUT)
    const before = pte(BASE)
    expect(k.sys_move_pages(BASE)).toBe(0)
    expect(pte(BASE) >>> m.symbols.PFN_SHIFT).not.toBe(before >>> m.symbols.PFN_SHIFT)
    expect(pte(BASE) & m.symbols._PAGE_RW).toBe(m.symbols._PAGE_RW)
    expectFilled()
  })

  it('moves a page that two processes map', () => {
    k.sys_fork(NO_PROGRAM)
    expect(k.sys_move_pages(BASE + 1)).toBe(0)
    expectFilled()
  })

  it('moves a page of the swap cache, whose slot then names the new one', () => {
    k.sys_swapon(32, 0)
    pageOut()
    k.sys_fork(NO_PROGRAM)
    k.user_load(BASE, 0)
    expect(k.sys_move_pages(BASE)).toBe(0)
    expectFilled()
  })
})
