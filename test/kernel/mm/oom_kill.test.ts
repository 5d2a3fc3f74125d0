// src/kernel/mm/oom_kill.ts on one CPU: who is killed, what the reaper takes, and what may not be faulted in
// afterwards.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BASE,
  type Filled,
  filled,
  NO_PROGRAM,
  PAGES,
  PRIVATE_FIXED,
  RW,
  SIGBUS,
  SIGKILL,
} from '../filled.ts'

const NEVER = -1000
const SHARED_FIXED = 0x11

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
})

afterEach(() => expect(m.failing()).toEqual([]))

const killed = (task: number): boolean => m.memory[task + m.symbols.task$sigkill] !== 0
const mmOf = (task: number): number => m.memory[task + m.symbols.task$mm]
const has = (task: number, flag: string): boolean =>
  (m.memory[mmOf(task) + m.symbols.mm$flags] & m.symbols[flag]) !== 0

/** A child with the pages that its parent has now, as likely to be chosen as `adj` makes it. */
function child(adj = 0): number {
  k.set_oom_score_adj(adj)
  const pid = k.sys_fork(NO_PROGRAM) as number
  expect(pid).toBeGreaterThan(0)
  k.set_oom_score_adj(NEVER)
  return m.task(pid)
}

/** Fills PAGES pages more. */
function grow(): void {
  const base = BASE + PAGES
  k.sys_mmap(base, PAGES, RW, PRIVATE_FIXED, 0, 0)
  m.fill(1, base)
}

describe('the victim', () => {
  it('is the process that has the most memory', () => {
    const small = child()
    grow()
    const large = child()
    expect(k.out_of_memory(0)).toBe(true)
    expect([killed(large), killed(small), killed(k.current())]).toEqual([true, false, false])
    expect(m.event('OOM_KILL')).toBe(1)
  })

  it('counts what is swapped out, too', () => {
    const small = child()
    grow()
    k.sys_swapon(32, 0)
    const large = child()
    m.become(large)
    m.fill(2000)
    m.fill(2000, BASE + PAGES)
    m.pageOut(2 * PAGES)
    expect(m.rss()[2]).toBe(2 * PAGES)
    m.become(m.task(1))
    k.out_of_memory(0)
    expect([killed(large), killed(small)]).toEqual([true, false])
  })

  it('is another one if that is more likely by its oom_score_adj', () => {
    const small = child(1000)
    grow()
    const large = child()
    k.out_of_memory(0)
    expect([killed(large), killed(small)]).toEqual([false, true])
  })

  it('is the next one when the first has been dealt with, until nobody is left', () => {
    const first = child()
    grow()
    const second = child()
    expect([k.out_of_memory(0), k.out_of_memory(0), k.out_of_memory(0)]).toEqual([true, true, false])
    expect([killed(first), killed(second), killed(k.current())]).toEqual([true, true, false])
  })

  it('is the caller itself, and then nothing is reaped', () => {
    k.set_oom_score_adj(0)
    const self = k.current() as number
    expect(k.out_of_memory(0)).toBe(true)
    expect(killed(self)).toBe(true)
    expect(has(self, 'MMF_UNSTABLE')).toBe(false)
    expect(m.swapped()).toEqual([])
  })

  it('is nobody new while the last one is on its way out, and has left its address space', () => {
    const small = child()
    grow()
    const large = child()
    m.become(large)
    k.out_of_memory(0)
    const mm = mmOf(large)
    m.memory[large + m.symbols.task$mm] = 0
    m.become(m.task(1))
    expect(k.out_of_memory(0)).toBe(true)
    expect([killed(large), killed(small)]).toEqual([true, false])
    expect(m.event('OOM_KILL')).toBe(1)
    expect(k.out_of_memory(0)).toBe(true)
    expect(killed(small)).toBe(true)
    m.memory[large + m.symbols.task$mm] = mm
  })

  it('dies with every task that has its address space', () => {
    const first = child()
    m.become(first)
    const thread = m.task(k.sys_clone_thread(NO_PROGRAM) as number)
    m.become(m.task(1))
    k.out_of_memory(0)
    expect([killed(first), killed(thread)]).toEqual([true, true])
    expect(m.event('OOM_KILL')).toBe(1)
  })
})

describe('the reaper', () => {
  it('takes the pages of the victim, and nobody else loses any', () => {
    const victim = child()
    m.become(victim)
    m.fill(2000)
    m.become(m.task(1))
    k.out_of_memory(0)
    expect(m.event('OOM_REAPED')).toBe(1)
    expect(has(victim, 'MMF_OOM_SKIP')).toBe(true)
    for (let i = 0; i < PAGES; i++) expect(m.present(BASE + i, mmOf(victim))).toBe(false)
    expect(m.values()[PAGES - 1]).toBe(1000 + PAGES - 1)
  })

  it('leaves shared memory, which others may want', () => {
    const object = k.shmem_create(PAGES) as number
    const base = BASE + PAGES
    k.sys_mmap(base, PAGES, RW, SHARED_FIXED, object, 0)
    m.fill(3000, base)
    const victim = child()
    m.become(victim)
    m.values(base)
    m.become(m.task(1))
    k.out_of_memory(0)
    expect(m.present(base, mmOf(victim))).toBe(true)
    expect(m.present(BASE, mmOf(victim))).toBe(false)
  })

  it('gives up where somebody changes the map, and another victim can be chosen', () => {
    const victim = child()
    k.mmap_write_lock(mmOf(victim))
    k.out_of_memory(0)
    k.mmap_write_unlock(mmOf(victim))
    expect(m.event('OOM_SKIPPED')).toBe(1)
    expect([has(victim, 'MMF_OOM_SKIP'), has(victim, 'MMF_UNSTABLE')]).toEqual([true, false])
    expect(m.present(BASE, mmOf(victim))).toBe(true)
  })
})

describe('an address space that has been reaped', () => {
  /** A task of it that goes on, as one that was in a fault. */
  function reaped(): number {
    const victim = child()
    k.out_of_memory(0)
    m.memory[victim + m.symbols.task$sigkill] = 0
    return victim
  }

  it('is stable before, and not after', () => {
    const mm = mmOf(child())
    expect(k.check_stable_address_space(mm)).toBe(0)
    k.out_of_memory(0)
    expect(k.check_stable_address_space(mm)).toBe(m.symbols.VM_FAULT_SIGBUS)
  })

  it('gives SIGBUS for a page that was taken, however it is used', () => {
    m.become(reaped())
    expect(k.user_store(BASE, 0, 1)).toBe(SIGBUS)
    expect(k.user_load(BASE + 1, 0)).toBe(0)
    expect(k.user_signal()).toBe(SIGBUS)
  })

  it('gives SIGBUS for a page of a file, too', () => {
    const file = k.file_create(PAGES) as number
    const base = BASE + PAGES
    k.sys_mmap(base, PAGES, RW, PRIVATE_FIXED, file, 0)
    m.become(reaped())
    expect(k.user_store(base, 0, 1)).toBe(SIGBUS)
    k.user_load(base + 1, 0)
    expect(k.user_signal()).toBe(SIGBUS)
  })

  it('gives its tasks SIGKILL before they fault at all', () => {
    const victim = child()
    k.out_of_memory(0)
    m.become(victim)
    expect(k.user_store(BASE, 0, 1)).toBe(SIGKILL)
  })
})
