import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { STEP_CHECKS, stepChecks } from '../../../src/checks/steps/index.ts'
import { Kind } from '../../../src/step/kinds.ts'
import { Bench, bootStepped, buildStepped, CPUS } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  const image = await buildStepped(fileURLToPath(new URL('fixtures/mapped.ts', import.meta.url)))
  bench = new Bench(await bootStepped(image), image)
})

/** CPU 0 unmaps the page of the first PTE as zap_pte_range does. */
function zap(b: Bench): void {
  const { addr, table } = b.pte
  const page = b.pageOf(b.memory[addr])
  b.holding(0, table, () => {
    b.step(0, Kind.XCHG, addr, 0)
    b.step(0, Kind.FETCH_ADD, page + b.s.page$_mapcount, -1)
    b.step(0, Kind.FETCH_ADD, b.mm + b.s.mm$rss_stat + b.s.MM_ANONPAGES, -1)
  })
}

describe('table-owner', () => {
  test('a write to an entry of a table that the CPU does not hold is a violation of E1 alone', () => {
    const steps = (b: Bench): void => b.step(0, Kind.FETCH_OR, b.pte.addr, b.s._PAGE_SOFT_DIRTY)
    expect(bench.violated(steps)).toEqual(['table-owner'])
    expect(bench.message({ name: 'table-owner' }, steps)).toMatch(
      /^pte\[mm \d+, 0x200\] pfn 0x\w+ rw dirty young -> .*written without holding its table, page 0x\w+, which nobody holds\n at do_wp_page src\/kernel\/mm\/memory\/do_wp_page.ts:\d+ on CPU 0$/,
    )
  })

  test('two CPUs that hold one table are a violation', () => {
    const steps = (b: Bench): void => b.holding(0, b.pte.table, () => b.lock(1, b.pte.table))
    expect(bench.message({ name: 'table-owner' }, steps)).toContain('two owners of the page table')
  })

  test('an optimistic look that ends well although its entry is another one is a violation', () => {
    const { addr } = bench.pte
    const steps = (b: Bench): void =>
      b.observer.tableReadDone!(0, addr, b.memory[addr] ^ (1 << b.s.PFN_SHIFT))
    expect(bench.message({ name: 'table-owner' }, steps)).toMatch(
      /^an optimistic look at pte\[mm \d+, 0x200\] found pfn 0x\w+ .*, and the design says that nothing has changed since; it is pfn 0x/,
    )
  })

  test('an optimistic look may overlook what the hardware sets', () => {
    const { addr } = bench.pte
    expect(
      bench.violated((b) => b.observer.tableReadDone!(0, addr, b.memory[addr] & ~b.s._PAGE_ACCESSED)),
    ).toEqual([])
  })

  test('readers share a table, and keep a writer out', () => {
    const reads = (b: Bench, cpu: number): void =>
      b.observer.tableLocked!(cpu, b.pte.table, 0, b.s.PTRS_PER_TABLE, b.s.PTL_READ)
    expect(bench.violated((b) => [0, 1].forEach((cpu) => reads(b, cpu)))).toEqual([])
    const steps = (b: Bench): void => {
      reads(b, 0)
      b.lock(1, b.pte.table)
    }
    expect(bench.message({ name: 'table-owner' }, steps)).toContain('and it is held by a reader already')
  })

  test('a lock that is made when an entry leads to its table already is a violation of E1 alone', () => {
    const steps = (b: Bench): void => b.observer.lockInit!(0, b.pte.table + b.s.page$ptl, 0)
    expect(bench.violated(steps)).toEqual(['table-owner'])
    expect(bench.message({ name: 'table-owner' }, steps)).toMatch(
      /^the lock of the page table in page 0x\w+ is initialised while an entry leads to the table, which nobody holds\n/,
    )
  })

  test('the lock of a page that is no table may be made', () => {
    expect(
      bench.violated((b) => b.observer.lockInit!(0, b.pageOf(b.memory[b.pte.addr]) + b.s.page$ptl, 0)),
    ).toEqual([])
  })

  test('the holder may write, and the hardware may set accessed and dirty without holding', () => {
    expect(
      bench.violated((b) => {
        const { addr, table } = b.pte
        b.holding(0, table, () => b.step(0, Kind.FETCH_AND, addr, ~(b.s._PAGE_RW | b.s._PAGE_ACCESSED)))
        const pte = b.memory[addr]
        b.step(1, Kind.CMPXCHG, addr, pte, pte | b.s._PAGE_ACCESSED, 'tlb_walk')
      }),
    ).toEqual([])
  })
})

describe('page-table-check', () => {
  test('a second, writable mapping of an anonymous page is a violation of E2 alone', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      const page = b.pageOf(b.memory[addr])
      b.step(0, Kind.FETCH_ADD, page + b.s.page$_refcount, 1, 0, 'get_page')
      b.holding(0, table, () => {
        b.step(0, Kind.FETCH_ADD, page + b.s.page$_mapcount, 1)
        b.step(0, Kind.FETCH_ADD, b.mm + b.s.mm$rss_stat + b.s.MM_ANONPAGES, 1)
        b.step(0, Kind.ONCE_WRITE, addr + 4, b.memory[addr])
      })
    }
    expect(bench.violated(steps)).toEqual(['page-table-check'])
    expect(bench.message({ name: 'page-table-check' }, steps)).toContain('mapped writable and not alone')
  })

  test('a read-only second mapping beside a writable one is found when the table is unlocked', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      b.holding(0, table, () => b.step(0, Kind.ONCE_WRITE, addr + 4, b.memory[addr] & ~b.s._PAGE_RW))
    }
    expect(bench.message({ name: 'page-table-check' }, steps)).toContain(
      'can be written by 1 of its 2 mappings',
    )
  })
})

describe('page-counts', () => {
  test('a reference to a free page is a violation of E3 alone', () => {
    const steps = (b: Bench): void =>
      b.step(0, Kind.FETCH_ADD, b.s.MEMMAP + (b.s.NR_PAGES - 1) * b.s.PAGE_WORDS + b.s.page$_refcount, 1)
    expect(bench.violated(steps)).toEqual(['page-counts'])
    expect(bench.message({ name: 'page-counts' }, steps)).toContain('_refcount 0 -> 1: a reference is taken')
  })

  test('contents of a free page may not be touched', () => {
    expect(bench.violated((b) => b.step(1, Kind.USER_READ, b.s.BOOT_DATA - 1))).toEqual(['page-counts'])
  })

  test('the last reference of a mapped page is a bad page', () => {
    const steps = (b: Bench): void =>
      b.step(
        0,
        Kind.FETCH_ADD,
        b.pageOf(b.memory[b.pte.addr]) + b.s.page$_refcount,
        -1,
        0,
        'put_page_testzero',
      )
    expect(bench.message({ name: 'page-counts' }, steps)).toMatch(
      /^BUG: Bad page state {2}pfn:\w+\npage:0x\w+ refcount:0 mapcount:1/,
    )
  })
})

describe('tlb', () => {
  test('freeing a page that a TLB still translates is a violation of E5 alone', () => {
    const steps = (b: Bench): void => {
      const { addr } = b.pte
      const pte = b.memory[addr]
      const area = b.s.PERCPU + b.s.PERCPU_WORDS
      b.memory[area + b.s.percpu$loaded_mm] = b.mm
      b.memory[area + b.s.percpu$tlb] = 512 + 1
      b.memory[area + b.s.percpu$tlb + 1] = pte
      // What is gathered is flushed before it is freed.
      b.memory[b.s.PERCPU + b.s.tlb$mm] = b.mm
      zap(b)
      b.step(0, Kind.FETCH_ADD, b.pageOf(pte) + b.s.page$_refcount, -1, 0, 'put_page_testzero')
    }
    expect(bench.violated(steps)).toEqual(['tlb'])
    expect(bench.message({ name: 'tlb' }, steps)).toContain(
      'while the TLB of CPU 1 translates page 0x200 to it, writable',
    )
    // The walk that filled the TLB, before the change that took the page away: the latest first.
    expect(bench.violation({ name: 'tlb' }, steps)?.causes).toMatchObject([
      { object: expect.stringMatching(/^pte\[mm \d+, 0x200\]$/), writes: true },
      { object: expect.stringMatching(/^pte\[mm \d+, 0x200\]$/), cpu: 1, function: 'tlb_walk' },
    ])
  })

  test('a TLB that exceeds the page table as mmap_lock is released is a violation', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      const area = b.s.PERCPU + b.s.PERCPU_WORDS
      b.memory[area + b.s.percpu$loaded_mm] = b.mm
      b.memory[area + b.s.percpu$tlb] = 512 + 1
      b.memory[area + b.s.percpu$tlb + 1] = b.memory[addr]
      const count = b.mm + b.s.mm$mmap_lock + b.s.rwsem$count
      b.step(0, Kind.CMPXCHG, count, 0, 1)
      b.holding(0, table, () => b.step(0, Kind.FETCH_AND, addr, ~b.s._PAGE_RW))
      b.step(0, Kind.FETCH_ADD, count, -1)
    }
    expect(bench.violated(steps)).toEqual(['tlb'])
  })

  test('unmapping, flushing and freeing is clean', () => {
    expect(
      bench.violated((b) => {
        const page = b.pageOf(b.memory[b.pte.addr])
        zap(b)
        b.step(0, Kind.FETCH_ADD, page + b.s.page$_refcount, -1, 0, 'put_page_testzero')
      }),
    ).toEqual([])
  })
})

describe('ledger', () => {
  test('an entry removed without its map count is a violation of E8 alone', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      b.holding(0, table, () => {
        b.step(0, Kind.XCHG, addr, 0)
        b.step(0, Kind.FETCH_ADD, b.mm + b.s.mm$rss_stat + b.s.MM_ANONPAGES, -1)
      })
    }
    expect(bench.violated(steps)).toEqual(['ledger'])
    expect(bench.message({ name: 'ledger' }, steps)).toContain('-1 page table entries, _mapcount 0')
  })

  test('an rss counter that does not follow is a violation', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      const page = b.pageOf(b.memory[addr])
      b.holding(0, table, () => {
        b.step(0, Kind.XCHG, addr, 0)
        b.step(0, Kind.FETCH_ADD, page + b.s.page$_mapcount, -1)
      })
    }
    expect(bench.message({ name: 'ledger' }, steps)).toContain(
      '-1 page table entries of MM_ANONPAGES, counter 0',
    )
  })

  test('a map count that changes outside of any table lock is a violation', () => {
    expect(
      bench.violated((b) =>
        b.step(0, Kind.FETCH_ADD, b.pageOf(b.memory[b.pte.addr]) + b.s.page$_mapcount, 1),
      ),
    ).toEqual(['ledger'])
  })
})

describe('pte-transitions', () => {
  test('write-protecting a present entry by a store is a violation of E12 alone', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      b.holding(0, table, () => b.step(0, Kind.ONCE_WRITE, addr, b.memory[addr] & ~b.s._PAGE_RW))
    }
    expect(bench.violated(steps)).toEqual(['pte-transitions'])
  })

  test('replacing a page that a TLB still translates is a violation', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      const old = b.memory[addr]
      const area = b.s.PERCPU + b.s.PERCPU_WORDS
      b.memory[area + b.s.percpu$loaded_mm] = b.mm
      b.memory[area + b.s.percpu$tlb] = 512 + 1
      b.memory[area + b.s.percpu$tlb + 1] = old
      b.holding(0, table, () => {
        b.step(0, Kind.XCHG, addr, 0)
        b.step(0, Kind.ONCE_WRITE, addr, old + (1 << b.s.PFN_SHIFT))
      })
    }
    expect(bench.message({ name: 'pte-transitions' }, steps)).toContain(
      'while the TLB of CPU 1 still translates',
    )
  })

  test('a dirty bit that is gone when an entry comes back is a violation', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      const old = b.memory[addr]
      b.holding(0, table, () => {
        b.step(0, Kind.XCHG, addr, 0)
        b.step(0, Kind.ONCE_WRITE, addr, old & ~b.s._PAGE_DIRTY)
      })
    }
    expect(bench.violated(steps)).toEqual(['pte-transitions'])
  })
})

describe('use-after-free', () => {
  test('reading a freed object is a violation of it alone, and says who freed it', () => {
    const steps = (b: Bench): void => {
      const vma = b.memory[b.mm + b.s.mm$mm_mt]
      b.free(0, vma)
      b.step(0, Kind.PLAIN_READ, vma + b.s.vma$vm_start, 0, 0, 'zap_pte_range')
    }
    expect(bench.violated(steps)).toEqual(['use-after-free'])
    expect(bench.message({ name: 'use-after-free' }, steps)).toMatch(
      /BUG: KASAN: use-after-free in .*\nRead of size 4 .*vma \d+ .*vm_start\n\nFreed by CPU 0:\n kmem_cache_free src\/kernel\/mm\/slab.ts:\d+\n[^]*cache vm_area_struct/,
    )
    expect(bench.violation({ name: 'use-after-free' }, steps)?.causes).toMatchObject([
      { what: 'frees it', cpu: 0 },
    ])
  })

  test('giving an object back twice is a violation of it alone, and says who gave it back first', () => {
    const steps = (b: Bench): void => {
      const vma = b.memory[b.mm + b.s.mm$mm_mt]
      b.free(1, vma)
      b.free(0, vma)
    }
    expect(bench.violated(steps)).toEqual(['use-after-free'])
    expect(bench.message({ name: 'use-after-free' }, steps)).toMatch(
      /BUG: KASAN: double-free in .*\nFree of addr .*vma \d+ .*\n\nFreed by CPU 1:\n kmem_cache_free/,
    )
  })

  test('a table that is freed while an entry leads to it is a violation', () => {
    const steps = (b: Bench): void => {
      const flags = b.pte.table + b.s.page$flags
      b.step(0, Kind.PLAIN_WRITE, flags, b.memory[flags] & ~b.s.PG_table, 0, 'pgtable_free')
    }
    expect(bench.violated(steps)).toEqual(['use-after-free'])
  })
})

describe('lockdep', () => {
  const nest = (b: Bench, first: number, second: number): void => {
    b.observer.lockAcquire!(0, first, 0, 0)
    b.observer.lockAcquire!(0, second, 0, 0)
    b.observer.lockRelease!(0, second)
    b.observer.lockRelease!(0, first)
  }

  test('two orders of two classes are a violation of it alone, without any deadlock', () => {
    const steps = (b: Bench): void => {
      const page_table_lock = b.mm + b.s.mm$page_table_lock
      nest(b, page_table_lock, b.s.machine$mmlist_lock)
      nest(b, b.s.machine$mmlist_lock, page_table_lock)
    }
    expect(bench.violated(steps)).toEqual(['lockdep'])
    const text = bench.message({ name: 'lockdep' }, steps)
    expect(text).toContain('WARNING: possible circular locking dependency detected')
    expect(text).toContain('  lock(mmlist_lock);\n                               lock(&mm->page_table_lock);')
  })

  test(
    'two orders in two executions are none, since no schedule would show them; in the next that has ' +
      'both they are',
    () => {
      const orders = (b: Bench, both: boolean): void => {
        const page_table_lock = b.mm + b.s.mm$page_table_lock
        nest(b, page_table_lock, b.s.machine$mmlist_lock)
        if (!both) b.observer.begin()
        nest(b, b.s.machine$mmlist_lock, page_table_lock)
        if (!both) b.observer.begin()
      }
      expect(bench.violated((b) => orders(b, false))).toEqual([])
      const twice = (b: Bench): void => {
        orders(b, false)
        orders(b, true)
      }
      expect(bench.violated(twice)).toEqual(['lockdep'])
    },
  )

  test('a lock that is tried for, by the bit of the image, waits for nobody and makes no order', () => {
    const steps = (b: Bench): void => {
      const [mmlist_lock, page_table_lock] = [b.s.machine$mmlist_lock, b.mm + b.s.mm$page_table_lock]
      nest(b, page_table_lock, mmlist_lock)
      b.observer.lockAcquire!(0, mmlist_lock, 0, 0)
      b.observer.lockAcquire!(0, page_table_lock, 0, b.s.LOCK_TRY)
      b.observer.lockRelease!(0, page_table_lock)
      b.observer.lockRelease!(0, mmlist_lock)
    }
    expect(bench.violated(steps)).toEqual([])
  })

  test('two locks of one class need a subclass', () => {
    const first = (b: Bench): number => b.s.MEMMAP + b.s.page$ptl
    const steps =
      (subclass: number) =>
      (b: Bench): void => {
        b.observer.lockAcquire!(0, first(b), 0, 0)
        b.observer.lockAcquire!(0, first(b) + b.s.PAGE_WORDS, subclass, 0)
        b.observer.lockRelease!(0, first(b) + b.s.PAGE_WORDS)
        b.observer.lockRelease!(0, first(b))
      }
    expect(bench.message({ name: 'lockdep' }, steps(0))).toContain('possible recursive locking detected')
    expect(bench.violated(steps(1))).toEqual([])
  })

  test('taking a semaphore under a spinlock is sleeping in an invalid context', () => {
    const steps = (b: Bench): void => {
      b.observer.lockAcquire!(0, b.mm + b.s.mm$page_table_lock, 0, 0)
      b.observer.lockAcquire!(0, b.mm + b.s.mm$mmap_lock, 0, 4)
    }
    expect(bench.message({ name: 'lockdep' }, steps)).toContain(
      'BUG: sleeping function called from invalid context',
    )
  })

  test('a lock that is held at the end is a violation', () => {
    const steps = (b: Bench): void => b.observer.lockAcquire!(1, b.mm + b.s.mm$page_table_lock, 0, 0)
    expect(bench.message({ name: 'lockdep' }, steps)).toContain(
      'CPU 1 has left the kernel with locks still held',
    )
  })

  test('waiting for a flush with interrupts off is a violation', () => {
    const steps = (b: Bench): void => {
      const area = b.s.PERCPU
      b.memory[area + b.s.percpu$irqs_off] = 1
      b.step(0, Kind.WAIT, area + b.s.percpu$flush_acks, 1, 0, 'flush_tlb_mm_range')
    }
    expect(bench.violated(steps)).toEqual(['lockdep'])
  })

  const irqs = (b: Bench, off: number): void => {
    b.memory[b.s.PERCPU + b.s.percpu$irqs_off] = off
  }
  const take = (b: Bench, lock: number, context = 0, how = 0): void => {
    b.observer.lockAcquire!(context, lock, 0, how)
    b.observer.lockRelease!(context, lock)
  }

  test('a lock that interrupts take in Linux is taken with interrupts off', () => {
    const steps =
      (off: number) =>
      (b: Bench): void => {
        irqs(b, off)
        take(b, b.s.ZONES + b.s.zone$lock)
        irqs(b, 0)
      }
    expect(bench.violated(steps(1))).toEqual([])
    expect(bench.violated(steps(0))).toEqual(['lockdep'])
    const text = bench.message({ name: 'lockdep' }, steps(0))
    expect(text).toContain('inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage.')
    expect(text).toContain('(&zone->lock){?.?.}')
  })

  test('interrupts that are turned on while such a lock is held are found when it is released', () => {
    const steps = (b: Bench): void => {
      irqs(b, 1)
      b.observer.lockAcquire!(0, b.s.ZONES + b.s.zone$lock, 0, 0)
      irqs(b, 0)
      b.observer.lockRelease!(0, b.s.ZONES + b.s.zone$lock)
    }
    expect(bench.message({ name: 'lockdep' }, steps)).toContain('WARNING: inconsistent lock state')
  })

  test(
    'a lock that an interrupt of the execution takes is taken with interrupts off, unless the ' +
      'interrupt only tries',
    () => {
      const steps =
        (how: number) =>
        (b: Bench): void => {
          take(b, b.s.machine$mmlist_lock, CPUS, how)
          take(b, b.s.machine$mmlist_lock)
        }
      expect(bench.violated(steps(0))).toEqual(['lockdep'])
      expect(bench.violated(steps(bench.s.LOCK_TRY))).toEqual([])
    },
  )

  test('a lock under one that interrupts take is taken with interrupts off, in one execution', () => {
    const under = (b: Bench): void => {
      irqs(b, 1)
      nest(b, b.s.ZONES + b.s.zone$lock, b.s.machine$mmlist_lock)
      nest(b, b.s.machine$mmlist_lock, b.mm + b.s.mm$page_table_lock)
      irqs(b, 0)
    }
    const on = (b: Bench): void => take(b, b.mm + b.s.mm$page_table_lock)
    const both = (b: Bench): void => {
      under(b)
      on(b)
    }
    const apart = (b: Bench): void => {
      under(b)
      b.observer.begin()
      on(b)
      b.observer.begin()
    }
    expect(bench.violated(under)).toEqual([])
    expect(bench.violated(apart)).toEqual([])
    const apartThenBoth = (b: Bench): void => {
      apart(b)
      both(b)
    }
    expect(bench.violated(apartThenBoth)).toEqual(['lockdep'])
    expect(bench.violated(both)).toEqual(['lockdep'])
    const text = bench.message({ name: 'lockdep' }, both)
    expect(text).toContain('WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected')
    expect(text).toContain(
      '  lock(&mm->page_table_lock);\n                               local_irq_disable();',
    )
  })
})

describe('kcsan', () => {
  const WORD = 512
  const LOCK = 528

  test('a plain write and a plain read of two CPUs without order are a violation of it alone', () => {
    const steps = (b: Bench): void => {
      b.step(0, Kind.PLAIN_WRITE, WORD, 7, 0, 'do_wp_page')
      b.step(1, Kind.PLAIN_READ, WORD, 0, 0, 'zap_pte_range')
    }
    expect(bench.violated(steps)).toEqual(['kcsan'])
    expect(bench.message({ name: 'kcsan' }, steps)).toMatch(
      /^=+\nBUG: KCSAN: data-race in do_wp_page \/ zap_pte_range\n\nwrite to 0x200 of 4 bytes by no task on cpu 0:\n do_wp_page .*\n\nread to 0x200 of 4 bytes by no task on cpu 1:\n [^]*value changed: 0x00000000 -> 0x00000007\n\nscenario word 0\n=+$/,
    )
  })

  test('a marked access races with a plain one, and not with a marked one', () => {
    const read = (kind: number) => (b: Bench) => {
      b.step(0, Kind.ONCE_WRITE, WORD, 7)
      b.step(1, kind, WORD)
    }
    expect(bench.violated(read(Kind.PLAIN_READ))).toEqual(['kcsan'])
    expect(bench.violated(read(Kind.ONCE_READ))).toEqual([])
    expect(bench.violated(read(Kind.RACE_READ))).toEqual([])
  })

  test('an unlock orders what came before it before the next lock', () => {
    expect(
      bench.violated((b) => {
        b.step(0, Kind.LOCK, LOCK)
        b.step(0, Kind.PLAIN_WRITE, WORD, 7)
        b.step(0, Kind.UNLOCK, LOCK)
        b.step(1, Kind.LOCK, LOCK)
        b.step(1, Kind.PLAIN_WRITE, WORD, 8)
      }),
    ).toEqual([])
  })

  test('a marked write publishes only what came before the last barrier', () => {
    const publish = (barrier: boolean) => (b: Bench) => {
      b.step(0, Kind.PLAIN_WRITE, WORD, 7)
      if (barrier) b.observer.fence!(0, 1)
      b.step(0, Kind.ONCE_WRITE, LOCK, 1)
      b.step(1, Kind.ONCE_READ, LOCK)
      b.step(1, Kind.PLAIN_READ, WORD)
    }
    expect(bench.violated(publish(true))).toEqual([])
    expect(bench.violated(publish(false))).toEqual(['kcsan'])
  })

  test('a user that reads contents the kernel has not published is a violation', () => {
    const steps = (b: Bench): void => {
      const content = b.s.CONTENT + (b.memory[b.pte.addr] >>> b.s.PFN_SHIFT) * b.s.CONTENT_WORDS
      b.step(0, Kind.PLAIN_WRITE, content, 7)
      b.step(1, Kind.USER_READ, content)
    }
    expect(bench.violated(steps)).toEqual(['kcsan'])
  })
})

test('an execution begins with nothing left of the last one', () => {
  expect(
    bench.violated((b) => {
      b.lock(0, b.pte.table)
      b.step(0, Kind.PLAIN_WRITE, 512, 7)
      b.memory[512] = 0
      b.observer.begin()
      b.holding(1, b.pte.table, () => {})
      b.step(1, Kind.PLAIN_READ, 512)
    }),
  ).toEqual([])
})

test('correct scenarios violate nothing', async () => {
  for (const scenario of ['same-page', 'fork-storm', 'mmap-churn']) {
    const image = await buildStepped(
      fileURLToPath(new URL(`../../../scenarios/${scenario}.ts`, import.meta.url)),
    )
    const machine = await bootStepped(image, { turns: 1 })
    machine.observe([stepChecks(machine, image)])
    machine.exact = true
    let state = 1
    const below = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      return (state >>> 8) % bound
    }
    const scheduler = {
      name: 'random',
      begin: () => {},
      next: (runnable: Int32Array, n: number) => runnable[below(n)],
    }
    for (let i = 0; i < 20; i++) {
      const ending = machine.run(scheduler, i, { below })
      expect(ending, `${scenario} ${i}`).toEqual({ kind: 'held' })
    }
  }
})

test('every check has a name of its own and says what it costs', () => {
  expect(new Set(STEP_CHECKS.map(({ name }) => name)).size).toBe(STEP_CHECKS.length)
  for (const { description, cost } of STEP_CHECKS)
    for (const text of [description, cost]) expect(text).toMatch(/^\S.*\w.*$/)
})
