// src/kernel/mm/memcontrol.ts on one CPU: what is charged to a group, what happens at its limit, and when a charge
// ends.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BASE,
  DONTNEED,
  type Filled,
  filled,
  filledWith,
  NO_PROGRAM,
  PAGES,
  PRIVATE_FIXED,
  RW,
  SIGKILL,
  SYNCHRONOUS_IO,
} from '../filled.ts'

const ENOMEM = 12
const NEVER = -1000
/** An area that is filled after the process has joined its group. */
const CHARGED = BASE + 64

let m: Filled
let k: Filled['kernel']
let group: number

/** Puts the process into a group that may have `limit` pages. */
function join(limit: number): void {
  group = k.mem_cgroup_create(limit) as number
  k.mem_cgroup_attach(group)
}

const usage = (): number => k.mem_cgroup_usage(group) as number
const chargedTo = (page: number): number => m.memory[page + m.symbols.page$memcg_data]

beforeEach(async () => {
  m = await filled('MEMCG=y')
  k = m.kernel
  k.sys_mmap(CHARGED, PAGES, RW, PRIVATE_FIXED, 0, 0)
})

afterEach(() => {
  expect(m.failing()).toEqual([])
  const { symbols: s, memory } = m
  let charged = 0
  for (let pfn = 0; pfn < s.NR_PAGES; pfn++)
    if (memory[s.MEMMAP + pfn * s.PAGE_WORDS + s.page$memcg_data] === group) charged++
  expect(charged).toBe(usage())
})

describe('a compound page', () => {
  it('leaves its group, to which its head is charged, when its last reference goes', () => {
    join(PAGES)
    const head = k.alloc_pages(0, 2) as number
    expect(k.mem_cgroup_charge(head, m.mm())).toBe(0)
    expect([usage(), chargedTo(head)]).toEqual([1, group])
    k.put_page(head)
    expect([usage(), chargedTo(head)]).toEqual([0, 0])
  })
})

describe('a page', () => {
  it('is charged to the group of the process that it is allocated for', () => {
    join(PAGES)
    k.user_store(CHARGED, 0, 1)
    expect(usage()).toBe(1)
    expect(chargedTo(m.page(CHARGED))).toBe(group)
    expect(chargedTo(m.page(BASE))).toBe(0)
  })

  it('is not charged when it is only read as zeros', () => {
    join(PAGES)
    k.user_load(CHARGED, 0)
    expect(usage()).toBe(0)
  })

  it('counts no more when it is freed', () => {
    join(PAGES)
    m.fill(1, CHARGED)
    expect(usage()).toBe(PAGES)
    k.sys_madvise(CHARGED, 3, DONTNEED)
    expect(usage()).toBe(PAGES - 3)
    k.sys_munmap(CHARGED, PAGES)
    expect(usage()).toBe(0)
  })

  it('is charged to the process that copies it after a fork', () => {
    join(2 * PAGES)
    k.user_store(CHARGED, 0, 1)
    m.become(m.task(k.sys_fork(NO_PROGRAM) as number))
    expect(usage()).toBe(1)
    k.user_store(CHARGED, 0, 2)
    expect(usage()).toBe(2)
  })

  it.each([
    ['through the swap cache', 0],
    ['past it', SYNCHRONOUS_IO],
  ])('is charged to whoever brings it back from swap, %s', (_, flags) => {
    k.sys_swapon(32, flags)
    k.set_page_cluster(0)
    m.pageOut()
    join(PAGES)
    k.user_load(BASE, 0)
    expect(usage()).toBe(1)
    m.pageOut()
    expect(usage()).toBe(0)
  })

  it('hands its charge over when it is migrated', () => {
    join(PAGES)
    k.user_store(CHARGED, 0, 1)
    const before = m.page(CHARGED)
    expect(k.sys_move_pages(CHARGED)).toBe(0)
    expect([chargedTo(before), chargedTo(m.page(CHARGED))]).toEqual([0, group])
    expect(usage()).toBe(1)
  })
})

describe('a page that cannot be charged when it comes back from swap', () => {
  it('leaves its slot to the next that wants it', () => {
    k.sys_swapon(32, 0)
    k.set_page_cluster(0)
    m.pageOut(1)
    const { offset } = m.entry(BASE)
    join(0)
    k.set_oom_score_adj(NEVER)
    expect(k.user_load(BASE, 0)).toBe(0)
    expect(k.user_signal()).toBe(SIGKILL)
    expect(m.memory[m.symbols.SWAP_MAP + offset]).toBe(1)
    k.mem_cgroup_attach(0)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })
})

describe('a group at its limit', () => {
  it("reclaims its own pages and nobody else's", () => {
    k.sys_swapon(32, 0)
    k.set_page_cluster(0)
    join(3)
    for (const [i, value] of filledWith(1).entries()) {
      // Pages of this CPU's batches cannot be reclaimed.
      k.lru_add_drain()
      expect(k.user_store(CHARGED + i, 0, value)).toBe(0)
    }
    expect(usage()).toBeLessThanOrEqual(3)
    expect(m.swapped(CHARGED)).toHaveLength(PAGES - usage())
    expect(m.swapped()).toEqual([])
    for (const [i, value] of filledWith(1).entries()) {
      k.lru_add_drain()
      expect(k.user_load(CHARGED + i, 0)).toBe(value)
    }
  })

  it('kills one of its processes where nothing can be reclaimed, and no other', () => {
    join(PAGES + 1)
    k.set_oom_score_adj(0)
    const inside = m.task(k.sys_fork(NO_PROGRAM) as number)
    k.mem_cgroup_attach(0)
    k.sys_fork(NO_PROGRAM)
    const outside = m.task(3)
    m.become(inside)
    m.fill(1, CHARGED)
    const other = m.task(k.sys_fork(NO_PROGRAM) as number)
    m.become(other)
    k.set_oom_score_adj(NEVER)
    k.user_store(CHARGED, 0, 7)
    // The last page of the group: the next needs a victim.
    expect(k.user_store(CHARGED + 1, 0, 8)).toBe(0)
    const killed = (task: number): boolean => m.memory[task + m.symbols.task$sigkill] !== 0
    expect([killed(inside), killed(outside), killed(other)]).toEqual([true, false, false])
  })

  it('fails the charge where nobody may be killed, and the page is free again', () => {
    join(3)
    k.set_oom_score_adj(NEVER)
    for (let i = 0; i < 3; i++) expect(k.user_store(CHARGED + i, 0, i)).toBe(0)
    expect(k.user_store(CHARGED + 3, 0, 1)).toBe(SIGKILL)
    expect(usage()).toBe(3)
    expect(m.event('MEMCG_MAX')).toBeGreaterThan(0)
    k.sys_madvise(CHARGED, 1, DONTNEED)
    expect(k.user_store(CHARGED + 3, 0, 1)).toBe(0)
  })

  it.each([
    ['through the swap cache', 0],
    ['past it', SYNCHRONOUS_IO],
  ])('fails the charge of a page that comes back from swap %s, which is as it was', (_, flags) => {
    // Full: the group's page cannot make room.
    k.sys_swapon(PAGES, flags)
    k.set_page_cluster(0)
    m.pageOut()
    join(1)
    k.set_oom_score_adj(NEVER)
    k.user_store(CHARGED, 0, 1)
    const before = m.usage().freePages
    k.user_load(BASE, 0)
    expect(k.user_signal()).toBe(SIGKILL)
    expect([usage(), m.usage().freePages, m.present(BASE)]).toEqual([1, before, false])
    k.mem_cgroup_attach(0)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })

  it('fails the charge of a process that is dying', () => {
    join(3)
    for (let i = 0; i < 3; i++) k.user_store(CHARGED + i, 0, i)
    expect(k.user_store(CHARGED + 3, 0, 1)).toBe(SIGKILL)
    expect(m.memory[(k.current() as number) + m.symbols.task$sigkill]).toBe(1)
    expect(usage()).toBe(3)
  })
})

it('groups are limited in number', () => {
  group = k.mem_cgroup_create(1) as number
  for (let i = 1; i < m.symbols.NR_MEM_CGROUPS; i++) expect(k.mem_cgroup_create(1)).toBeGreaterThan(0)
  expect(k.mem_cgroup_create(1)).toBe(-ENOMEM)
})
