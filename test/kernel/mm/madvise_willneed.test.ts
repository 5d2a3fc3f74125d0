// src/kernel/mm/madvise_willneed.ts on one CPU: what MADV_WILLNEED reads ahead.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, filledWith, PAGES, PRIVATE_FIXED, READ } from '../filled.ts'

const WILLNEED = 3

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
  k.sys_swapon(32, 0)
  k.set_page_cluster(0)
})

afterEach(() => expect(m.failing()).toEqual([]))

/** Pages of the swap cache, and reads of the device. */
const cached = (): number => m.memory[m.symbols.SWAP_INFO + m.symbols.swap_info$nrpages]
const reads = (): number => m.memory[m.symbols.SWAP_INFO + m.symbols.swap_info$nr_reads]

describe('MADV_WILLNEED', () => {
  it('reads the pages of the range that are swapped out, and maps none', () => {
    m.pageOut()
    expect(k.sys_madvise(BASE + 2, 3, WILLNEED)).toBe(0)
    expect(cached()).toBe(3)
    expect(m.swapped()).toHaveLength(PAGES)
  })

  it('leaves faults nothing to read', () => {
    m.pageOut()
    k.sys_madvise(BASE, PAGES, WILLNEED)
    const before = reads()
    expect(m.values()).toEqual(filledWith())
    expect(reads()).toBe(before)
  })

  it('reads nothing twice', () => {
    m.pageOut()
    k.sys_madvise(BASE, PAGES, WILLNEED)
    const before = reads()
    k.sys_madvise(BASE, PAGES, WILLNEED)
    expect(reads()).toBe(before)
  })

  it('has nothing to do for pages that are there, and for files', () => {
    const file = k.file_create(1) as number
    k.sys_mmap(BASE + PAGES, 1, READ, PRIVATE_FIXED, file, 0)
    expect(k.sys_madvise(BASE, PAGES + 1, WILLNEED)).toBe(0)
    expect(reads()).toBe(0)
    k.sys_munmap(BASE + PAGES, 1)
    k.sys_close(file)
  })
})
