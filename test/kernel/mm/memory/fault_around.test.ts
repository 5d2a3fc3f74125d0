// do_fault_around of src/kernel/mm/memory/do_fault.ts on one CPU.
import { beforeEach, describe, expect, it } from 'vitest'
import { type OneCpu, oneCpu } from '../../machine.ts'

const BASE = 4096
const SHARED_FIXED = 0x11
const PRIVATE_FIXED = 0x12
const RW = 3

let m: OneCpu
let k: OneCpu['kernel']
let object: number

beforeEach(async () => {
  m = await oneCpu('FAULT_AROUND=16')
  k = m.kernel
  object = k.shmem_create(64) as number
  // Its pages 0 to 39 come by writes.
  k.sys_mmap(BASE + 512, 64, RW, SHARED_FIXED, object, 0)
  for (let i = 0; i < 40; i++) expect(k.user_store(BASE + 512 + i, 0, 100 + i)).toBe(0)
})

const faults = (addr: number): boolean => {
  k.user_load(addr, 0)
  return k.user_fault() !== 0
}

describe('a read fault on an object', () => {
  it('maps what the object has in the sixteen pages around it', () => {
    const before = m.rss()[3]
    k.sys_mmap(BASE, 64, RW, SHARED_FIXED, object, 0)
    expect(k.user_load(BASE + 20, 0)).toBe(120)
    expect(m.rss()[3]).toBe(before + 16)
    for (let i = 16; i < 32; i++) expect(faults(BASE + i)).toBe(false)
    expect([faults(BASE + 15), faults(BASE + 32)]).toEqual([true, true])
    expect(k.user_load(BASE + 39, 0)).toBe(139)
  })

  it('finds nothing there, and makes its own page', () => {
    k.sys_mmap(BASE, 64, RW, SHARED_FIXED, object, 0)
    expect(faults(BASE + 50)).toBe(true)
    expect(faults(BASE + 51)).toBe(true)
    expect(k.user_load(BASE + 50, 0)).toBe(0)
  })

  it('stays within its VMA', () => {
    k.sys_mmap(BASE + 18, 4, RW, SHARED_FIXED, object, 18)
    const before = m.rss()[3]
    k.user_load(BASE + 20, 0)
    expect(m.rss()[3]).toBe(before + 4)
  })

  it('leaves copies as they are', () => {
    k.sys_mmap(BASE, 64, RW, PRIVATE_FIXED, object, 0)
    k.user_store(BASE + 17, 0, 7)
    k.user_load(BASE + 20, 0)
    expect(k.user_load(BASE + 17, 0)).toBe(7)
    expect(k.user_load(BASE + 18, 0)).toBe(118)
    expect(k.user_fault()).toBe(0)
  })

  it('gives everything back', () => {
    k.sys_munmap(BASE + 512, 64)
    k.sys_close(object)
    const before = m.usage()
    const other = k.shmem_create(64) as number
    k.sys_mmap(BASE, 64, RW, SHARED_FIXED, other, 0)
    for (let i = 0; i < 64; i += 3) k.user_store(BASE + i, 0, 1)
    k.sys_mmap(BASE + 512, 64, RW, SHARED_FIXED, other, 0)
    for (let i = 0; i < 64; i += 16) k.user_load(BASE + 512 + i, 0)
    k.sys_close(other)
    k.sys_munmap(BASE, 1024)
    expect(m.usage()).toEqual(before)
  })
})
