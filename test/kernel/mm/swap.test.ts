// Swap on one CPU: src/kernel/mm/{swapfile,swap_state,page_io,madvise_lru,migrate,vmscan,rmap}, and do_swap_page. Every
// test ends with the checks at rest.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BASE,
  DONTNEED,
  type Filled,
  filled,
  filledWith,
  FREE,
  NO_PROGRAM,
  PAGEOUT,
  PAGES,
  READ,
  SIGBUS,
  STABLE_WRITES,
  SYNCHRONOUS_IO,
} from '../filled.ts'

const MOVE_FIXED = 3
const EBUSY = 16
const EINVAL = 22

let m: Filled
let k: Filled['kernel']

async function boot(...settings: string[]): Promise<void> {
  m = await filled(...settings)
  k = m.kernel
}

function expectFilled(first?: number): void {
  expect(m.values()).toEqual(filledWith(first))
}

const swapMap = (device: number, offset: number): number =>
  m.memory[m.symbols.SWAP_MAP + device * m.symbols.SWAPFILE_SLOTS + offset]

beforeEach(() => boot())

afterEach(() => expect(m.failing()).toEqual([]))

describe('a page that is swapped out', () => {
  it('leaves a swap entry, exclusive if nobody else had the page, and comes back with its contents', () => {
    expect(k.sys_swapon(32, 0)).toBe(0)
    expect(m.pageOut()).toBe(0)
    expect(m.swapped()).toHaveLength(PAGES)
    expect(m.entry(BASE)).toMatchObject({ kind: 'swap', device: 0, exclusive: true })
    expect(m.rss()[2]).toBe(PAGES)
    expectFilled()
    expect(m.rss()[1]).toBe(PAGES)
    expect(m.rss()[2]).toBe(0)
  })

  it('gives its slot back when it is read past the swap cache', () => {
    k.sys_swapon(32, SYNCHRONOUS_IO)
    m.pageOut()
    const { offset } = m.entry(BASE)
    expect(swapMap(0, offset)).toBe(1)
    k.user_load(BASE, 0)
    expect(swapMap(0, offset)).toBe(0)
  })

  it('takes the slot that was freed last', () => {
    k.sys_swapon(32, SYNCHRONOUS_IO)
    m.pageOut(1)
    const { offset } = m.entry(BASE)
    k.user_load(BASE, 0)
    m.pageOut(1)
    expect(m.entry(BASE).offset).toBe(offset)
  })

  it('may be written at once when it comes back by a write', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
    expect(k.user_store(BASE, 0, 7)).toBe(0)
    expect(m.pte(BASE) & m.symbols._PAGE_RW).not.toBe(0)
    expect(k.user_load(BASE, 0)).toBe(7)
  })

  it.each([
    ['copied by a write where the device wants it stable', STABLE_WRITES, true],
    ['written in its place where the device does not', 0, false],
  ])('is, while its contents are being written, %s', (_, flags, copied) => {
    k.sys_swapon(32, flags)
    k.set_page_cluster(2)
    m.pageOut()
    k.user_load(BASE + 3, 0)
    const { symbols: s, memory } = m
    expect(m.entry(BASE + 4)).toMatchObject({ kind: 'swap', exclusive: true })
    const cached = Array.from({ length: s.NR_PAGES }, (_, pfn) => s.MEMMAP + pfn * s.PAGE_WORDS).filter(
      (page) => (m.flags(page) & s.PG_swapcache) !== 0,
    )
    for (const page of cached) memory[page + s.page$flags] |= s.PG_writeback
    k.user_load(BASE + 4, 0)
    const page = m.page(BASE + 4)
    expect(cached).toContain(page)
    expect(k.user_store(BASE + 4, 0, 7)).toBe(0)
    expect(m.page(BASE + 4) !== page).toBe(copied)
    for (const one of cached) memory[one + s.page$flags] &= ~s.PG_writeback
    expect(k.user_load(BASE + 4, 0)).toBe(7)
  })

  it('brings its neighbours along', () => {
    k.sys_swapon(32, 0)
    k.set_page_cluster(2)
    m.pageOut()
    k.user_load(BASE + 3, 0)
    const { offset, device } = m.entry(BASE + 4)
    expect(swapMap(device, offset) & m.symbols.SWAP_HAS_CACHE).not.toBe(0)
    expectFilled()
  })

  it('can be discarded, protected and moved', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
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
    m.pageOut()
    const { offset } = m.entry(BASE)
    expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expect(swapMap(0, offset)).toBe(2)
    expect(m.entry(BASE).exclusive).toBe(false)
    const { symbols: s, memory } = m
    const first = memory[s.machine$mmlist]
    expect(first).toBe(m.mm() + s.mm$mmlist_next)
    expect(memory[first]).not.toBe(s.machine$mmlist)
    expectFilled()
  })

  it('counts uses above SWAP_MAP_MAX in continuation pages', async () => {
    await boot('SWAP_MAP_MAX=1')
    k.sys_swapon(32, 0)
    m.pageOut(2)
    const { offset } = m.entry(BASE)
    for (let i = 0; i < 40; i++) expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expect(swapMap(0, offset) & m.symbols.COUNT_CONTINUED).not.toBe(0)
  })

  it('starts again with a continuation page where it could not have one under its locks', async () => {
    await boot('SWAP_MAP_MAX=1')
    k.sys_swapon(32, 0)
    k.set_fail_page_alloc(1)
    m.pageOut()
    expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
    expectFilled()
  })
})

describe('two devices', () => {
  it.each(['MEMORY=16396K', 'PAGE_BYTES=4096', 'MEMORY=15M PAGE_BYTES=4096'])(
    'share no cluster and no continuation, %s',
    async (settings) => {
      await boot('SWAP_MAP_MAX=1', ...settings.split(' '))
      k.sys_swapon(3, 0)
      k.sys_swapon(32, 0)
      m.pageOut()
      expect(new Set([0, 1, 2, 3, 4, 5].map((i) => m.entry(BASE + i).device))).toEqual(new Set([0, 1]))
      for (let i = 0; i < 20; i++) expect(k.sys_fork(NO_PROGRAM)).toBeGreaterThan(0)
      expect(m.failing()).toEqual([])
      expect(k.sys_swapoff(0)).toBe(0)
    },
  )
})

describe('a device', () => {
  it('that is full leaves the pages where they are', () => {
    k.sys_swapon(3, 0)
    m.pageOut()
    expect(m.swapped()).toHaveLength(3)
    expectFilled()
  })

  it('that does not write keeps nothing', () => {
    k.sys_swapon(32, 0)
    k.swap_device_set(0, 0, 0, 1)
    m.pageOut()
    expectFilled()
  })

  it('that does not read gives SIGBUS for the page, and other pages are as they were', () => {
    k.sys_swapon(32, SYNCHRONOUS_IO)
    m.pageOut()
    k.swap_device_set(0, 0, 1, 0)
    expect(k.user_store(BASE, 0, 1)).toBe(SIGBUS)
    k.swap_device_set(0, 0, 0, 0)
    expect(k.user_load(BASE + 1, 0)).toBe(1001)
  })

  it('goes when its pages have been brought back, and may come again', () => {
    const device = k.sys_swapon(32, 0) as number
    m.pageOut()
    k.sys_fork(NO_PROGRAM)
    expect(k.sys_swapoff(device)).toBe(0)
    expect(m.swapped()).toEqual([])
    expect(m.memory[m.symbols.machine$mmlist]).toBe(m.symbols.machine$mmlist)
    expectFilled()
    expect(k.sys_swapon(32, 0)).toBe(device)
  })

  it('that could not read a page leaves the mark of that when it goes', () => {
    k.sys_swapon(32, 0)
    m.pageOut(1)
    k.swap_device_set(0, 0, 1, 0)
    expect(k.sys_swapoff(0)).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(0)
    expect(k.user_signal()).toBe(SIGBUS)
  })

  it('that is oversized is used as far as there is room', () => {
    const most = m.symbols.SWAPFILE_SLOTS - 1
    expect(k.sys_swapon(most + 1000, 0)).toBe(0)
    expect(m.memory[m.symbols.SWAP_AREA + m.symbols.swap$nr_swap_pages]).toBe(most)
    m.pageOut()
    expectFilled()
  })

  it('cannot be turned off twice, nor on without a slot or a place for it', () => {
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
    m.pageOut()
    expect(k.user_load(BASE, 0)).toBe(0)
  })

  it('keeps a page that was written again', () => {
    k.sys_swapon(32, 0)
    k.sys_madvise(BASE, PAGES, FREE)
    m.fill(2000)
    m.pageOut()
    expectFilled(2000)
  })

  it('gives up the slots of pages that are swapped out', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
    k.sys_madvise(BASE, PAGES, FREE)
    expect(m.rss()[2]).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(0)
  })
})

describe('move_pages', () => {
  it('moves a page to another frame, with its contents and rights', () => {
    k.sys_madvise(BASE, 0, PAGEOUT)
    const before = m.pte(BASE)
    expect(k.sys_move_pages(BASE)).toBe(0)
    expect(m.pte(BASE) >>> m.symbols.PFN_SHIFT).not.toBe(before >>> m.symbols.PFN_SHIFT)
    expect(m.pte(BASE) & m.symbols._PAGE_RW).toBe(m.symbols._PAGE_RW)
    expectFilled()
  })

  it('moves a page that two processes map', () => {
    k.sys_fork(NO_PROGRAM)
    expect(k.sys_move_pages(BASE + 1)).toBe(0)
    expectFilled()
  })

  it('moves a page of the swap cache, whose slot then names the new one', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
    k.sys_fork(NO_PROGRAM)
    k.user_load(BASE, 0)
    expect(k.sys_move_pages(BASE)).toBe(0)
    expectFilled()
  })
})
