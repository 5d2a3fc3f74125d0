// src/kernel/mm/vmscan/reclaim.ts on one CPU: watermarks, kswapd, direct reclaim and what is left when nothing can be
// reclaimed.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, filledWith, PAGES, PRIVATE_FIXED, RW, SIGKILL } from '../../filled.ts'

const EAGAIN = 11
const NEVER = -1000
const KSWAPD_SLEEPS = 1
const KSWAPD_RUNS = 2
const MORE = BASE + 64

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.set_page_cluster(0)
  k.sys_mmap(MORE, PAGES, RW, PRIVATE_FIXED, 0, 0)
  // Its table is there, and no page in a batch, where reclaim cannot find it.
  k.user_store(MORE, 0, 0)
  k.lru_add_drain()
})

afterEach(() => expect(m.failing()).toEqual([]))

/** Leaves `room` pages above the low watermark, and `gap` between the marks. */
function leave(room: number, gap = 2): void {
  k.drain_local_pages()
  k.setup_per_zone_wmarks(k.nr_free_pages() - room - gap, gap)
}

const mark = (name: string): number => m.memory[m.symbols.ZONES + m.symbols[`zone$watermark_${name}`]]
const freePages = (): number => {
  k.drain_local_pages()
  return k.nr_free_pages() as number
}
const kswapdState = (): number => m.memory[m.symbols.machine$kswapd]

describe('direct reclaim', () => {
  it('makes room for a page below the minimum, and what it took comes back', () => {
    k.sys_swapon(32, 0)
    leave(2)
    m.fill(1, MORE)
    expect(m.event('ALLOCSTALL')).toBeGreaterThan(0)
    expect(m.event('PGSTEAL_DIRECT')).toBeGreaterThan(0)
    expect(freePages()).toBeGreaterThanOrEqual(mark('min'))
    expect(m.values()).toEqual(filledWith())
    expect(m.values(MORE)).toEqual(filledWith(1))
  })

  it('does not begin above it', () => {
    k.sys_swapon(32, 0)
    leave(PAGES + 1)
    m.fill(1, MORE)
    expect(m.event('ALLOCSTALL')).toBe(0)
  })

  it('ends in the death of a process where there is no swap, not in a hang', () => {
    leave(2)
    const signals = Array.from({ length: PAGES }, (_, i) => k.user_store(MORE + i, 0, 1) as number)
    expect(signals).toContain(SIGKILL)
    expect(m.event('OOM_KILL')).toBe(1)
  })

  it('ends in a signal where nobody may be killed', () => {
    k.set_oom_score_adj(NEVER)
    leave(2)
    const signals = Array.from({ length: PAGES }, (_, i) => k.user_store(MORE + i, 0, 1) as number)
    expect(signals).toContain(SIGKILL)
    expect(m.event('OOM_KILL')).toBe(0)
    expect(freePages()).toBeGreaterThanOrEqual(mark('min'))
    expect(m.values()).toEqual(filledWith())
  })

  it('ends in the death of a process where no write to swap succeeds', () => {
    k.sys_swapon(32, 0)
    k.swap_device_set(0, 0, 0, 1)
    leave(2)
    const signals = Array.from({ length: PAGES }, (_, i) => k.user_store(MORE + i, 0, 1) as number)
    expect(signals).toContain(SIGKILL)
    expect(m.event('SWAP_WRITE_ERRORS')).toBeGreaterThan(0)
  })
})

describe('kswapd', () => {
  it('is woken below the low watermark, reclaims until the high one is reached, and sleeps', () => {
    k.sys_swapon(32, 0)
    k.kswapd()
    expect([kswapdState(), m.event('PAGEOUTRUN')]).toEqual([KSWAPD_SLEEPS, 0])
    leave(4, 3)
    for (let i = 1; i < PAGES && kswapdState() !== KSWAPD_RUNS; i++) k.user_store(MORE + i, 0, 1)
    expect(kswapdState()).toBe(KSWAPD_RUNS)
    expect([m.event('KSWAPD_WAKE'), m.event('ALLOCSTALL')]).toEqual([1, 0])
    expect(freePages()).toBeLessThan(mark('high'))
    k.kswapd()
    expect(freePages()).toBeGreaterThanOrEqual(mark('high'))
    expect(kswapdState()).toBe(KSWAPD_SLEEPS)
    expect(m.event('PGSTEAL_KSWAPD')).toBeGreaterThan(0)
    expect(m.values()).toEqual(filledWith())
  })

  it('sleeps again where it finds nothing', () => {
    k.kswapd()
    leave(0, 3)
    k.user_store(MORE + 1, 0, 1)
    k.kswapd()
    expect(kswapdState()).toBe(KSWAPD_SLEEPS)
    expect(freePages()).toBeLessThan(mark('high'))
  })

  it('is nobody before a task has that role: who is short of memory helps himself', () => {
    k.sys_swapon(32, 0)
    leave(0)
    m.fill(1, MORE)
    expect(m.event('KSWAPD_WAKE')).toBe(0)
    expect(m.event('PGSTEAL_DIRECT')).toBeGreaterThan(0)
  })
})

describe('memory.reclaim', () => {
  it('frees as many pages as were asked for, or says that there were not so many', () => {
    k.sys_swapon(32, 0)
    const before = freePages()
    expect(k.sys_memory_reclaim(4)).toBe(0)
    expect(freePages() - before).toBeGreaterThanOrEqual(4)
    expect(k.sys_memory_reclaim(10 * PAGES)).toBe(-EAGAIN)
    expect(m.values()).toEqual(filledWith())
  })
})
