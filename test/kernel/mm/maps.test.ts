// The calls that change a map, on one CPU: src/kernel/mm/{mmap/,mprotect,mremap,madvise,rmap,shmem,filemap}.ts.
import { beforeEach, describe, expect, it } from 'vitest'
import { type OneCpu, oneCpu } from '../machine.ts'

const READ = 1
const WRITE = 2
const RW = READ | WRITE
const SHARED = 1
const PRIVATE = 2
const FIXED = 0x10
const VM_SHARED = 8
const MAYMOVE = 1
const MOVE_FIXED = 3
const DONTNEED = 4
const POPULATE_READ = 22
const POPULATE_WRITE = 23
const DONTFORK = 10
const DONTDUMP = 16
const DODUMP = 17
const WIPEONFORK = 18
const NORESERVE = 0x4000
const POPULATE = 0x8000
const ABSENT = 1
const PRESENT = 2
const EFAULT = 14
const SIGBUS = 7
const SIGSEGV = 11
const ENOMEM = 12
const EINVAL = 22
const BASE = 4096

let m: OneCpu
let k: OneCpu['kernel']

const map = (
  addr: number,
  pages: number,
  prot = RW,
  flags = PRIVATE | FIXED,
  mapping = 0,
  pgoff = 0,
): number => k.sys_mmap(addr, pages, prot, flags, mapping, pgoff) as number
const ranges = (): [number, number, number][] =>
  m.areas().map(({ start, end, flags }) => [start - BASE, end - BASE, flags])
const fill = (addr: number, pages: number): void => {
  for (let i = 0; i < pages; i++) expect(k.user_store(addr + i, 0, 1000 + i)).toBe(0)
}
const expectFilled = (addr: number, pages: number): void => {
  for (let i = 0; i < pages; i++) expect(k.user_load(addr + i, 0)).toBe(1000 + i)
}

beforeEach(async () => {
  m = await oneCpu()
  k = m.kernel
})

describe('mmap and munmap', () => {
  it('maps below the highest mapping when no address is wished for', () => {
    const first = map(0, 4, RW, PRIVATE)
    const second = map(0, 4, RW, PRIVATE)
    expect(second).toBe(first - 4)
    expect(m.areas()).toMatchObject([{ start: second, end: first + 4 }])
  })

  it('fills a hole between two mappings and merges all three', () => {
    map(BASE, 4)
    map(BASE + 8, 4)
    map(BASE + 4, 4)
    expect(ranges()).toEqual([[0, 12, RW]])
  })

  it('keeps mappings of different rights apart', () => {
    map(BASE, 4)
    map(BASE + 4, 4, READ)
    expect(ranges()).toEqual([
      [0, 4, RW],
      [4, 8, READ],
    ])
  })

  it('leaves mmap_lock held for reading when it was asked to downgrade, and the area gone', () => {
    const lock = m.mm() + m.symbols.mm$mmap_lock + m.symbols.rwsem$count
    map(BASE, 4)
    fill(BASE, 4)
    k.mmap_write_lock(m.mm())
    expect(k.do_munmap(m.mm(), BASE, 4, 1)).toBe(m.symbols.MUNMAP_DOWNGRADED)
    expect(m.memory[lock]).toBe(m.symbols.RWSEM_READER_BIAS)
    expect(ranges()).toEqual([])
    k.mmap_read_unlock(m.mm())
    expect(m.memory[lock]).toBe(0)
  })

  it('keeps the write lock where nothing is mapped, or without being asked', () => {
    const lock = m.mm() + m.symbols.mm$mmap_lock + m.symbols.rwsem$count
    map(BASE, 4)
    k.mmap_write_lock(m.mm())
    expect(k.do_munmap(m.mm(), BASE + 8, 4, 1)).toBe(0)
    expect(k.do_munmap(m.mm(), BASE, 4, 0)).toBe(0)
    expect(m.memory[lock]).toBe(m.symbols.RWSEM_WRITER_LOCKED)
    k.mmap_write_unlock(m.mm())
  })

  it('splits what it unmaps in the middle, and frees the pages there', () => {
    map(BASE, 12)
    fill(BASE, 12)
    expect(m.rss()[1]).toBe(12)
    expect(k.sys_munmap(BASE + 4, 4)).toBe(0)
    expect(ranges()).toEqual([
      [0, 4, RW],
      [8, 12, RW],
    ])
    expect(m.rss()[1]).toBe(8)
    expectFilled(BASE, 4)
    k.user_load(BASE + 5, 0)
    expect(k.user_signal()).toBe(SIGSEGV)
  })

  it('replaces what MAP_FIXED covers across several mappings', () => {
    map(BASE, 4)
    map(BASE + 6, 4, READ)
    map(BASE + 2, 6, 0)
    expect(ranges()).toEqual([
      [0, 2, RW],
      [2, 8, 0],
      [8, 10, READ],
    ])
  })

  it('gives everything back that was mapped, touched and unmapped', () => {
    const before = m.usage()
    map(BASE, 600)
    fill(BASE, 600)
    expect(k.sys_munmap(BASE - 100, 1000)).toBe(0)
    expect(m.areas()).toEqual([])
    expect(m.memory[m.mm() + m.symbols.mm$total_vm]).toBe(0)
    expect(m.usage()).toEqual(before)
  })

  it('refuses a length of nothing and page 0', () => {
    expect(map(BASE, 0)).toBe(-EINVAL)
    expect(map(0, 1)).toBe(-EINVAL)
    expect(k.sys_munmap(BASE, 0)).toBe(-EINVAL)
  })

  it('stops at the limit of mappings', () => {
    let count = 0
    while (map(BASE + 2 * count, 1) > 0) count++
    expect(map(BASE + 2 * count, 1)).toBe(-ENOMEM)
    expect(m.areas()).toHaveLength(count)
    expect(count).toBeLessThanOrEqual(m.symbols.MAX_MAP_COUNT)
  })
})

describe('brk', () => {
  it('grows and shrinks the heap', () => {
    m.memory[m.mm() + m.symbols.mm$start_brk] = BASE
    m.memory[m.mm() + m.symbols.mm$brk] = BASE
    expect(k.sys_brk(0)).toBe(BASE)
    expect(k.sys_brk(BASE + 4)).toBe(BASE + 4)
    expect(k.sys_brk(BASE + 8)).toBe(BASE + 8)
    expect(ranges()).toEqual([[0, 8, RW]])
    expect(k.sys_brk(BASE + 2)).toBe(BASE + 2)
    expect(ranges()).toEqual([[0, 2, RW]])
  })
})

describe('mprotect', () => {
  it('splits, denies, and merges again when the rights are as before', () => {
    map(BASE, 12)
    fill(BASE, 12)
    expect(k.sys_mprotect(BASE + 4, 4, READ)).toBe(0)
    expect(ranges()).toEqual([
      [0, 4, RW],
      [4, 8, READ],
      [8, 12, RW],
    ])
    expect(k.user_store(BASE + 4, 0, 5)).toBe(SIGSEGV)
    expect(k.user_store(BASE + 3, 0, 1003)).toBe(0)
    expect(k.sys_mprotect(BASE + 4, 4, RW)).toBe(0)
    expect(ranges()).toEqual([[0, 12, RW]])
    expect(k.user_store(BASE + 4, 0, 1004)).toBe(0)
    expectFilled(BASE, 12)
  })

  it('moves the border of two mappings up and down', () => {
    map(BASE, 8)
    fill(BASE, 8)
    k.sys_mprotect(BASE + 4, 4, READ)
    k.sys_mprotect(BASE + 2, 2, READ)
    expect(ranges()).toEqual([
      [0, 2, RW],
      [2, 8, READ],
    ])
    k.sys_mprotect(BASE + 2, 3, RW)
    expect(ranges()).toEqual([
      [0, 5, RW],
      [5, 8, READ],
    ])
    expectFilled(BASE, 8)
  })

  it('joins two mappings over one that becomes like the second only', () => {
    map(BASE, 4, 0)
    map(BASE + 4, 4, READ)
    map(BASE + 8, 4, RW)
    k.sys_mprotect(BASE + 4, 4, RW)
    expect(ranges()).toEqual([
      [0, 4, 0],
      [4, 12, RW],
    ])
  })

  it('takes all rights away and gives them back with the contents', () => {
    map(BASE, 4)
    fill(BASE, 4)
    k.sys_mprotect(BASE, 4, 0)
    k.user_load(BASE, 0)
    expect(k.user_signal()).toBe(SIGSEGV)
    k.sys_mprotect(BASE, 4, RW)
    expectFilled(BASE, 4)
  })

  it('answers ENOMEM at a hole after it has changed what lies before', () => {
    map(BASE, 4)
    map(BASE + 6, 2)
    expect(k.sys_mprotect(BASE, 8, READ)).toBe(-ENOMEM)
    expect(ranges()).toEqual([
      [0, 4, READ],
      [6, 8, RW],
    ])
  })
})

describe('mremap', () => {
  it('moves a mapping that ends where the address space does, to grow', () => {
    const top = m.symbols.TASK_SIZE - 1
    map(top, 1)
    fill(top, 1)
    const at = k.sys_mremap(top, 1, 3, MAYMOVE, 0) as number
    expect(at).toBe(top - 3)
    expectFilled(at, 1)
  })

  it('grows in place into free room', () => {
    map(BASE, 4)
    fill(BASE, 4)
    expect(k.sys_mremap(BASE, 4, 8, 0, 0)).toBe(BASE)
    expect(ranges()).toEqual([[0, 8, RW]])
  })

  it('moves pages with their contents across tables', () => {
    map(BASE + 5, 700)
    map(BASE + 705, 1, READ)
    fill(BASE + 5, 700)
    const at = k.sys_mremap(BASE + 5, 700, 800, MAYMOVE, 0) as number
    expect(at).toBeGreaterThan(BASE + 705)
    expectFilled(at, 700)
    expect(m.rss()[1]).toBe(700)
    k.user_load(BASE + 5, 0)
    expect(k.user_signal()).toBe(SIGSEGV)
  })

  it('replaces what lies at a fixed place', () => {
    map(BASE, 8)
    fill(BASE, 8)
    map(BASE + 100, 20, READ)
    expect(k.sys_mremap(BASE + 2, 4, 4, MOVE_FIXED, BASE + 105)).toBe(BASE + 105)
    expect(ranges().map(([start, end]) => [start, end])).toEqual([
      [0, 2],
      [6, 8],
      [100, 105],
      [105, 109],
      [109, 120],
    ])
    for (let i = 0; i < 4; i++) expect(k.user_load(BASE + 105 + i, 0)).toBe(1002 + i)
  })

  it('shrinks from the end', () => {
    map(BASE, 8)
    fill(BASE, 8)
    expect(k.sys_mremap(BASE, 8, 3, 0, 0)).toBe(BASE)
    expect(ranges()).toEqual([[0, 3, RW]])
    expect(m.rss()[1]).toBe(3)
  })

  it('merges with the mapping it is moved behind when that continues it', () => {
    map(BASE, 8)
    fill(BASE, 8)
    expect(k.sys_mremap(BASE + 4, 4, 4, MOVE_FIXED, BASE + 200)).toBe(BASE + 200)
    expect(k.sys_mremap(BASE + 200, 4, 4, MOVE_FIXED, BASE + 4)).toBe(BASE + 4)
    expect(ranges()).toEqual([[0, 8, RW]])
    expectFilled(BASE, 8)
  })
})

describe('madvise', () => {
  it('makes anonymous memory read as zeros again', () => {
    map(BASE, 8)
    fill(BASE, 8)
    expect(k.sys_madvise(BASE + 2, 4, DONTNEED)).toBe(0)
    expect(k.user_load(BASE + 2, 0)).toBe(0)
    expect(k.user_load(BASE + 1, 0)).toBe(1001)
    expect(k.sys_madvise(BASE, 10, DONTNEED)).toBe(-ENOMEM)
  })

  it('makes pages readable before they are read: zero pages, which no counter knows', () => {
    map(BASE, 8)
    expect(k.sys_madvise(BASE, 4, POPULATE_READ)).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(0)
    expect(k.user_fault()).toBe(0)
    expect(m.rss()[1]).toBe(0)
    expect(k.user_store(BASE, 0, 1)).toBe(0)
    expect(k.user_fault()).toBe(PRESENT)
  })

  it('makes pages writable before they are written', () => {
    map(BASE, 8)
    expect(k.sys_madvise(BASE, 4, POPULATE_WRITE)).toBe(0)
    expect(m.rss()[1]).toBe(4)
    k.user_store(BASE + 3, 0, 1)
    expect(k.user_fault()).toBe(0)
    expect(k.user_store(BASE + 4, 0, 1)).toBe(0)
    expect(k.user_fault()).toBe(ABSENT)
  })

  it('populates what lies below a page that it cannot have, and says why', () => {
    map(BASE, 4)
    map(BASE + 4, 4, READ)
    expect(k.sys_madvise(BASE, 8, POPULATE_WRITE)).toBe(-EINVAL)
    expect(m.rss()[1]).toBe(4)
    const object = k.shmem_create(2) as number
    map(BASE + 8, 4, RW, SHARED | FIXED, object)
    k.sys_close(object)
    expect(k.sys_madvise(BASE + 8, 4, POPULATE_READ)).toBe(-EFAULT)
    expect(m.rss()[3]).toBe(2)
  })

  it('keeps a flag in the VMA, which it splits and merges', () => {
    map(BASE, 12)
    expect(k.sys_madvise(BASE + 4, 4, DONTDUMP)).toBe(0)
    expect(ranges()).toHaveLength(3)
    expect(k.sys_madvise(BASE, 12, DODUMP)).toBe(0)
    expect(ranges()).toHaveLength(1)
  })

  it('leaves out of a fork what it was told to, and wipes what it was told to', () => {
    map(BASE, 4)
    map(BASE + 8, 4)
    fill(BASE, 4)
    fill(BASE + 8, 4)
    expect(k.sys_madvise(BASE, 4, DONTFORK)).toBe(0)
    expect(k.sys_madvise(BASE + 8, 4, WIPEONFORK)).toBe(0)
    k.sys_fork(0)
    const s = m.symbols
    const child = m.memory[m.memory[s.RQ + s.rq$tail] + s.task$mm]
    expect(m.areas(child).map(({ start, end }) => [start - BASE, end - BASE])).toEqual([[8, 12]])
    expect(m.memory[child + s.mm$total_vm]).toBe(4)
    expect(m.memory[child + s.mm$rss_stat + 1]).toBe(0)
    expectFilled(BASE + 8, 4)
  })

  it('wipes no shared memory', () => {
    map(BASE, 4, RW, SHARED | FIXED)
    expect(k.sys_madvise(BASE, 4, WIPEONFORK)).toBe(-EINVAL)
  })
})

describe('what is accounted for', () => {
  it('stays apart from what is not', () => {
    map(BASE, 2)
    expect(k.sys_mprotect(BASE, 2, READ)).toBe(0)
    map(BASE + 2, 2, READ)
    map(BASE + 4, 2)
    map(BASE + 6, 2, RW, PRIVATE | FIXED | NORESERVE)
    expect(ranges().map(([start]) => start)).toEqual([0, 2, 4, 6])
  })

  it('is what could once be written: from then on the two are alike', () => {
    map(BASE, 2, READ)
    map(BASE + 2, 2)
    expect(k.sys_mprotect(BASE, 2, RW)).toBe(0)
    expect(ranges()).toEqual([[0, 4, RW]])
  })
})

describe('MAP_POPULATE', () => {
  it('makes private writable pages present to be written', () => {
    map(BASE, 4, RW, PRIVATE | FIXED | POPULATE)
    expect(m.rss()[1]).toBe(4)
    k.user_store(BASE + 3, 0, 1)
    expect(k.user_fault()).toBe(0)
  })

  it('makes shared pages present, and none without rights', () => {
    map(BASE, 4, RW, SHARED | FIXED | POPULATE)
    expect(m.rss()[3]).toBe(4)
    map(BASE + 4, 4, 0, PRIVATE | FIXED | POPULATE)
    expect(m.rss()[1]).toBe(0)
  })
})

describe('objects', () => {
  it('shares the pages of an object between its mappings, and frees them with the last', () => {
    const before = m.usage()
    const object = k.shmem_create(300) as number
    map(BASE, 300, RW, SHARED | FIXED, object)
    map(BASE + 1000, 200, RW, SHARED | FIXED, object, 100)
    k.sys_close(object)
    fill(BASE, 300)
    for (let i = 0; i < 200; i++) expect(k.user_load(BASE + 1000 + i, 0)).toBe(1100 + i)
    expect(m.rss()).toEqual([0, 0, 0, 500])
    k.sys_munmap(BASE, 300)
    expect(k.user_load(BASE + 1000, 0)).toBe(1100)
    k.sys_munmap(BASE + 1000, 200)
    expect(m.usage()).toEqual(before)
  })

  it('gives shared anonymous memory an object of its own, which splits and merges', () => {
    const before = m.usage()
    map(BASE, 8, RW, SHARED | FIXED)
    fill(BASE, 8)
    k.sys_mprotect(BASE + 2, 2, READ)
    expect(m.areas()).toHaveLength(3)
    k.sys_mprotect(BASE + 2, 2, RW)
    expect(ranges()).toEqual([[0, 8, RW | VM_SHARED]])
    expectFilled(BASE, 8)
    k.sys_munmap(BASE, 8)
    expect(m.usage()).toEqual(before)
  })

  it('answers SIGBUS beyond the end of the object', () => {
    const object = k.file_create(2) as number
    map(BASE, 4, RW, SHARED | FIXED, object)
    expect(k.user_store(BASE + 1, 0, 1)).toBe(0)
    expect(k.user_store(BASE + 2, 0, 1)).toBe(SIGBUS)
  })

  it('keeps a private write to a file from the others', () => {
    const before = m.usage()
    const file = k.file_create(4) as number
    map(BASE, 4, RW, PRIVATE | FIXED, file)
    map(BASE + 10, 4, RW, SHARED | FIXED, file)
    expect(k.user_store(BASE + 10, 0, 7)).toBe(0)
    expect(k.user_load(BASE, 0)).toBe(7)
    expect(k.user_store(BASE, 0, 8)).toBe(0)
    expect(k.user_load(BASE + 10, 0)).toBe(7)
    expect(k.user_load(BASE, 0)).toBe(8)
    expect(m.rss()).toEqual([1, 1, 0, 0])
    k.sys_munmap(BASE, 20)
    k.sys_close(file)
    expect(m.usage()).toEqual(before)
  })
})

describe('anon_vma', () => {
  it('is shared by neighbours that may merge later', () => {
    map(BASE, 4)
    map(BASE + 4, 4, READ)
    k.sys_mprotect(BASE + 4, 4, READ | 4)
    fill(BASE, 4)
    k.sys_mprotect(BASE + 4, 4, RW | 4)
    fill(BASE + 4, 4)
    const [first, second] = m.areas()
    expect(first.anonVma).not.toBe(0)
    expect(second.anonVma).toBe(first.anonVma)
  })

  it('of a child hangs below its parent, and goes with it', () => {
    const before = m.usage()
    map(BASE, 4)
    fill(BASE, 4)
    expect(k.sys_fork(1)).toBeGreaterThan(0)
    // The child is the youngest mm: found through the parent's chain list.
    const s = m.symbols
    const anonVma = m.areas()[0].anonVma
    let avc = m.memory[anonVma + s.anon_vma$rb_root]
    avc = m.memory[avc + s.anon_vma_chain$rb_next]
    const childVma = m.memory[avc + s.anon_vma_chain$vma]
    const child = m.memory[childVma + s.vma$vm_mm]
    expect(m.areas(child)).toMatchObject([{ start: BASE, end: BASE + 4, chains: 2 }])
    expect(m.memory[anonVma + s.anon_vma$num_children]).toBe(2)
    expect(k.user_store(BASE, 0, 1)).toBe(0)
    expect(k.user_load(BASE + 1, 0)).toBe(1001)
    k.mmput(child)
    expect(m.memory[anonVma + s.anon_vma$num_children]).toBe(1)
    k.sys_munmap(BASE, 4)
    const after = m.usage()
    // The child's task is still there.
    expect(after.objects.slice(1)).toEqual(before.objects.slice(1))
    expect(after).toMatchObject({ freePages: before.freePages, tables: before.tables })
  })
})

/** Sets up, then tries `act` with its n-th allocation failing, for every n; afterwards all must be undone or done. */
async function sweep(prepare: () => void, act: () => number, settings: string[] = []): Promise<number> {
  for (let n = 1; n < 100; n++) {
    m = await oneCpu(...settings)
    k = m.kernel
    const before = m.usage()
    prepare()
    m.failAlloc(n)
    const result = act()
    const done = !m.failed()
    m.failAlloc(0)
    if (result >= 0) expectFilled(result, 8)
    else expectFilled(BASE, 8)
    k.sys_munmap(BASE - 100, 20000)
    k.sys_munmap(100_000, 2_000_000)
    expect(m.areas()).toEqual([])
    expect(m.usage()).toEqual(before)
    if (done) return n - 1
  }
  throw new Error('no end')
}

describe('when an allocation fails', () => {
  it('mremap leaves everything where it was', async () => {
    const allocations = await sweep(
      () => {
        map(BASE + 0, 8)
        fill(BASE, 8)
        map(BASE + 8, 1, READ)
      },
      () => k.sys_mremap(BASE, 8, 16, MOVE_FIXED, 1_000_000) as number,
      ['PTRS_PER_TABLE=64'],
    )
    expect(allocations).toBeGreaterThan(4)
  })

  it('an mprotect that splits leaves the rights that were, and nothing behind', async () => {
    const allocations = await sweep(
      () => {
        map(BASE, 8)
        fill(BASE, 8)
      },
      () => {
        const error = k.sys_mprotect(BASE + 2, 2, READ) as number
        expect(k.user_store(BASE + 2, 0, 1002)).toBe(error === 0 ? SIGSEGV : 0)
        return error === 0 ? BASE : error
      },
    )
    expect(allocations).toBe(4)
  })

  it('munmap leaves everything mapped', async () => {
    await sweep(
      () => {
        map(BASE, 16)
        fill(BASE, 16)
      },
      () => (k.sys_munmap(BASE + 9, 2) === 0 ? BASE : -1),
    )
  })

  it('a fault on shared memory is tried again and finds all in order', async () => {
    await sweep(
      () => {
        map(BASE, 8, RW, SHARED | FIXED)
      },
      () => {
        for (let i = 0; i < 8; i++) while (k.user_store(BASE + i, 0, 1000 + i) !== 0);
        return BASE
      },
    )
  })

  it('fork leaves the parent as it was', async () => {
    let allocations = 0
    for (let done = false; !done; allocations++) {
      m = await oneCpu()
      k = m.kernel
      const before = m.usage()
      map(BASE, 8)
      map(BASE + 600, 8, RW, SHARED | FIXED)
      fill(BASE, 8)
      fill(BASE + 600, 8)
      m.failAlloc(allocations + 1)
      const pid = k.sys_fork(1) as number
      done = !m.failed()
      m.failAlloc(0)
      // anon_vma_clone tries a second time: then fork succeeds all the same.
      const s = m.symbols
      if (pid > 0) k.mmput(m.memory[m.memory[s.RQ + s.rq$tail] + s.task$mm])
      expectFilled(BASE, 8)
      fill(BASE, 8)
      k.sys_munmap(BASE, 1000)
      const after = m.usage()
      expect(after.objects.slice(1)).toEqual(before.objects.slice(1))
      expect([after.freePages, after.tables]).toEqual([before.freePages, before.tables])
    }
    expect(allocations).toBeGreaterThan(8)
  })
})
