// src/kernel/arch/fault.ts on one CPU: how an access ends that found no memory, and how young it leaves an entry.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, PAGES, PRIVATE_FIXED, READ, RW, SIGKILL } from '../filled.ts'

const NEVER = -1000
const PRIVATE_FILE = 0x12
const OTHER = BASE + PAGES

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.set_oom_score_adj(NEVER)
  k.sys_mmap(OTHER, 2, RW, PRIVATE_FIXED, 0, 0)
})

afterEach(() => expect(m.failing()).toEqual([]))

describe('an access whose fault finds no memory', () => {
  it('is tried again, and succeeds where there is some by then', () => {
    m.failAlloc(1)
    expect(k.user_store(OTHER, 0, 7)).toBe(0)
    expect(m.failed()).toBe(true)
    expect(m.event('OOM_FAULTS')).toBe(1)
    expect(k.user_load(OTHER, 0)).toBe(7)
  })

  it('ends if its task was killed meanwhile', () => {
    m.memory[k.current() + m.symbols.task$sigkill] = 1
    m.failAlloc(1)
    expect(k.user_store(OTHER, 0, 7)).toBe(SIGKILL)
    m.failAlloc(0)
    m.memory[k.current() + m.symbols.task$sigkill] = 0
    expect(k.user_store(OTHER, 0, 7)).toBe(0)
  })

  it('ends where nobody is left to be killed', () => {
    k.setup_per_zone_wmarks(k.totalram_pages(), 1)
    expect(k.user_store(OTHER, 0, 7)).toBe(SIGKILL)
    k.setup_per_zone_wmarks(1, 1)
    expect(k.user_store(OTHER, 0, 7)).toBe(0)
  })
})

describe('a read fault on a page of a file', () => {
  it('leaves the entry young, whoever faults', () => {
    const source = k.file_create(1) as number
    const target = k.file_create(1) as number
    k.sys_mmap(OTHER, 1, READ, PRIVATE_FILE, source, 0)
    // The kernel's own fault: no hardware comes by that could set the bit.
    expect(k.write_file(target, 0, OTHER)).toBe(0)
    expect(m.pte(OTHER) & m.symbols._PAGE_ACCESSED).not.toBe(0)
    k.sys_munmap(OTHER, 1)
    k.sys_close(source)
    k.sys_close(target)
  })
})
