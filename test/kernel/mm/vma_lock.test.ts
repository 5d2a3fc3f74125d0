// Per-VMA locks on one CPU: which VMA a fault may lock, and until when a writer keeps it out.
import { beforeEach, describe, expect, it } from 'vitest'
import { type OneCpu, oneCpu } from '../machine.ts'

const RW = 3
const SHARED = 1
const PRIVATE_FIXED = 0x12
const BASE = 4096

let m: OneCpu
let k: OneCpu['kernel']

const lock = (addr: number): number => k.lock_vma_under_rcu(m.mm(), addr) as number
const vmaAt = (index: number): number => m.memory[m.mm() + m.symbols.mm$mm_mt + index]
/** Maps four private pages and writes the first. */
const mapTouched = (): number => {
  k.sys_mmap(BASE, 4, RW, PRIVATE_FIXED, 0, 0)
  k.user_store(BASE, 0, 1)
  return vmaAt(0)
}

beforeEach(async () => {
  m = await oneCpu('VMA_LOCK=y')
  k = m.kernel
})

describe('lock_vma_under_rcu', () => {
  it('leaves a VMA without an anon_vma to mmap_lock', () => {
    k.sys_mmap(BASE, 4, RW, PRIVATE_FIXED, 0, 0)
    expect(lock(BASE)).toBe(0)
  })

  it('locks the VMA of the address, and no other address has one', () => {
    const vma = mapTouched()
    expect(lock(BASE + 3)).toBe(vma)
    k.vma_end_read(vma)
    expect(lock(BASE + 4)).toBe(0)
    expect(lock(BASE - 1)).toBe(0)
  })

  it('finds nothing while the map changes', () => {
    mapTouched()
    m.memory[m.mm() + m.symbols.mm$mm_mt_seq]++
    expect(lock(BASE)).toBe(0)
  })

  it('locks the VMA of an object without an anon_vma', () => {
    const start = k.sys_mmap(0, 4, RW, SHARED, 0, 0) as number
    expect(lock(start)).toBe(vmaAt(0))
    k.vma_end_read(vmaAt(0))
  })
})

describe('vma_start_write', () => {
  it('keeps faults out until mmap_lock is dropped', () => {
    const vma = mapTouched()
    k.mmap_write_lock(m.mm())
    k.vma_start_write(vma)
    expect(lock(BASE)).toBe(0)
    k.mmap_write_unlock(m.mm())
    expect(lock(BASE)).toBe(vma)
    k.vma_end_read(vma)
  })

  it('needs mmap_lock', () => {
    const vma = mapTouched()
    expect(() => k.vma_start_write(vma)).toThrow(/BUG/)
  })
})

describe('vma_mark_detached', () => {
  it('needs the VMA locked for writing', () => {
    const vma = mapTouched()
    k.mmap_write_lock(m.mm())
    expect(() => k.vma_mark_detached(vma)).toThrow(/BUG/)
  })
})

describe('munmap', () => {
  it('frees a VMA after a grace period', () => {
    const before = m.usage()
    mapTouched()
    k.sys_munmap(BASE, 4)
    expect(m.usage().objects).toEqual(before.objects)
  })
})
