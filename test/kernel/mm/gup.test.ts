// src/kernel/mm/gup.ts on one CPU: a user page for the kernel, written past the page tables or read for a file.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BASE,
  type Filled,
  filled,
  filledWith,
  FREE,
  NO_PROGRAM,
  PAGES,
  PRIVATE_FIXED,
  READ,
} from '../filled.ts'

const EFAULT = 14
const ENOMEM = 12
/** Where a file is mapped. */
const FILE = BASE + 64

let m: Filled
let k: Filled['kernel']

beforeEach(async () => {
  m = await filled()
  k = m.kernel
})

afterEach(() => expect(m.failing()).toEqual([]))

describe('dio_read', () => {
  it('stores to the page that is mapped, and drops its reference', () => {
    const before = m.refcount(m.page(BASE))
    expect(k.dio_read(BASE, 0, 7)).toBe(0)
    expect(m.values()).toEqual([7, ...filledWith().slice(1)])
    k.lru_add_drain()
    expect(m.refcount(m.page(BASE))).toBe(before - 1)
  })

  it('faults a page in where there is none', () => {
    k.sys_mmap(FILE, PAGES, 3, PRIVATE_FIXED, 0, 0)
    expect(k.dio_read(FILE, 0, 7)).toBe(0)
    expect(k.user_load(FILE, 0)).toBe(7)
  })

  it('brings a page back from swap', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
    expect(k.dio_read(BASE + 1, 1, 7)).toBe(0)
    expect([k.user_load(BASE + 1, 0), k.user_load(BASE + 1, 1)]).toEqual([1001, 7])
  })

  it('breaks up what fork shared', () => {
    const child = m.task(k.sys_fork(NO_PROGRAM) as number)
    expect(k.dio_read(BASE, 0, 7)).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(7)
    m.become(child)
    expect(k.user_load(BASE, 0)).toBe(1000)
  })

  it('makes a page dirty that had been given up', () => {
    k.sys_swapon(32, 0)
    k.sys_madvise(BASE, 1, FREE)
    k.lru_add_drain()
    expect(k.dio_read(BASE, 0, 7)).toBe(0)
    m.pageOut()
    expect(k.user_load(BASE, 0)).toBe(7)
    expect(m.event('PGLAZYFREED')).toBe(0)
  })

  it.each([
    ['where nothing is mapped', () => BASE + PAGES],
    [
      'where the mapping may not be written',
      () => {
        k.sys_mprotect(BASE, 1, READ)
        return BASE
      },
    ],
    [
      'where the page cannot be read from swap',
      () => {
        k.sys_swapon(32, 0)
        k.set_page_cluster(0)
        m.pageOut(1)
        k.swap_device_set(0, 0, 1, 0)
        return BASE
      },
    ],
    [
      'where there is no memory',
      () => {
        k.sys_madvise(BASE, 1, 4)
        m.failAlloc(1)
        return BASE
      },
    ],
  ])('is EFAULT %s', (_, page) => {
    expect(k.dio_read(page(), 0, 7)).toBe(-EFAULT)
    m.failAlloc(0)
  })
})

describe('write_file', () => {
  let file: number

  beforeEach(() => {
    file = k.file_create(PAGES) as number
    k.sys_mmap(FILE, PAGES, READ, PRIVATE_FIXED, file, 0)
  })

  it('copies the page to the file, where a mapping of it sees it', () => {
    k.user_store(BASE, 5, 7)
    expect(k.write_file(file, 2, BASE)).toBe(0)
    expect([k.user_load(FILE + 2, 0), k.user_load(FILE + 2, 5)]).toEqual([1000, 7])
    expect(k.user_load(FILE + 1, 0)).toBe(0)
  })

  it('leaves the page as it is, and lets go of it', () => {
    const before = m.refcount(m.page(BASE))
    k.write_file(file, 0, BASE)
    k.lru_add_drain()
    expect(m.refcount(m.page(BASE))).toBe(before - 1)
    expect(m.values()).toEqual(filledWith())
  })

  it('copies a page from swap, and one of zeros that was never written', () => {
    k.sys_swapon(32, 0)
    m.pageOut()
    k.sys_madvise(BASE + 1, 1, 4)
    expect(k.write_file(file, 0, BASE)).toBe(0)
    expect(k.write_file(file, 1, BASE + 1)).toBe(0)
    expect([k.user_load(FILE, 0), k.user_load(FILE + 1, 0)]).toEqual([1000, 0])
  })

  it('copies the page of the file to itself without waiting for itself', () => {
    k.write_file(file, 0, BASE)
    expect(k.write_file(file, 0, FILE)).toBe(0)
    expect(k.user_load(FILE, 0)).toBe(1000)
  })

  it('is EFAULT behind the end of the file and where nothing is mapped', () => {
    expect(k.write_file(file, PAGES, BASE)).toBe(-EFAULT)
    expect(k.write_file(file, 0, BASE + PAGES)).toBe(-EFAULT)
  })

  it('is ENOMEM where there is no page for the file, and lets go of the source', () => {
    k.lru_add_drain()
    const before = m.refcount(m.page(BASE))
    m.failAlloc(1)
    expect(k.write_file(file, 0, BASE)).toBe(-ENOMEM)
    m.failAlloc(0)
    expect(m.refcount(m.page(BASE))).toBe(before)
  })
})
