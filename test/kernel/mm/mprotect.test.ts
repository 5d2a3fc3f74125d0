// src/kernel/mm/mprotect.ts on one CPU: which changed entries are flushed.
import { beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, PAGES, READ, RW } from '../filled.ts'

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
})

/** Whether this CPU's TLB has an entry for the first page. */
const cached = (): boolean =>
  Array.from(
    { length: m.symbols.TLB_ENTRIES },
    (_, i) => m.memory[m.symbols.PERCPU + m.symbols.percpu$tlb + 2 * i],
  ).includes(BASE + 1)

const protect = (prot: number): void => {
  expect(k.sys_mprotect(BASE, PAGES, prot)).toBe(0)
}

describe('mprotect', () => {
  it('flushes entries that lose the right to write', () => {
    k.user_load(BASE, 0)
    expect(cached()).toBe(true)
    protect(READ)
    expect(cached()).toBe(false)
  })

  it('flushes entries that gain it', () => {
    protect(READ)
    k.user_load(BASE, 0)
    expect(cached()).toBe(true)
    protect(RW)
    expect(m.pte(BASE) & m.symbols._PAGE_RW).not.toBe(0)
    expect(cached()).toBe(false)
  })
})
