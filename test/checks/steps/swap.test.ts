// E4 and E6, and what the other checks at every step say about entries of swap and migration: made-up steps on a
// machine with swap.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { Kind } from '../../../src/step/kinds.ts'
import { Bench, bootStepped, buildStepped } from './bench.ts'

const READ = 1
const MIGRATION_READ = 9
const MARKER = 15

let bench: Bench

beforeAll(async () => {
  const fixture = fileURLToPath(new URL('../fixtures/resting_swapped.ts', import.meta.url))
  const image = await buildStepped(fixture, ['SWAP=y', 'SWAP_MAP_MAX=1'])
  bench = new Bench(await bootStepped(image), image)
})

/** Slot 19 of device 0, which is free, and its cluster's lock. */
const freeSlot = (b: Bench): number => b.s.SWAP_MAP + 19
const lockOf = (b: Bench, slot: number): number =>
  b.s.SWAP_CLUSTERS + Math.floor((slot - b.s.SWAP_MAP) / b.s.SWAPFILE_CLUSTER) * b.s.SWAP_CLUSTER_WORDS

/** Writes a word of the swap map under its cluster's lock. */
function writeMap(b: Bench, slot: number, value: number): void {
  const lock = lockOf(b, slot)
  b.step(0, Kind.LOCK, lock)
  b.observer.lockAcquire!(0, lock, 0, 0)
  b.step(0, Kind.ONCE_WRITE, slot, value)
  b.observer.lockRelease!(0, lock)
  b.step(0, Kind.UNLOCK, lock)
}

/** CPU 0 replaces the first present PTE by a migration entry, and takes what it counted along. */
function migrate(b: Bench): number {
  const { addr, table } = b.pte
  const pte = b.memory[addr]
  const page = b.pageOf(pte)
  b.holding(0, table, () => {
    b.step(0, Kind.XCHG, addr, 0)
    b.step(0, Kind.ONCE_WRITE, addr, ((pte >>> b.s.PFN_SHIFT) << b.s.PFN_SHIFT) | (MIGRATION_READ << READ))
    b.step(0, Kind.FETCH_ADD, page + b.s.page$_mapcount, -1)
  })
  return page
}

describe('swap-device', () => {
  const off = (b: Bench): void => {
    b.memory[b.s.SWAP_INFO + b.s.swap_info$max] = 0
  }
  const words = (b: Bench): number[] => [
    freeSlot(b),
    b.s.SWAP_CACHE + 19,
    b.s.SWAP_CONTENT + 19 * b.s.CONTENT_WORDS,
  ]

  test('whoever looks at the map, the cache or a slot of a device that is off is a violation of E4', () => {
    for (let i = 0; i < 3; i++) {
      const steps = (b: Bench): void => {
        off(b)
        b.step(1, Kind.ONCE_READ, words(b)[i])
      }
      expect(bench.violated(steps)).toEqual(['swap-device'])
      expect(bench.message({ name: 'swap-device' }, steps)).toContain(
        'is touched, and its device is off (slot 0:19',
      )
    }
  })

  test('a device that is on, or is being laid out, may be touched', () => {
    expect(bench.violated((b) => words(b).forEach((word) => b.step(1, Kind.ONCE_READ, word)))).toEqual([])
    const layOut = (b: Bench): void => {
      off(b)
      b.step(1, Kind.ONCE_WRITE, freeSlot(b), 0, 0, 'setup_swap_map')
    }
    expect(bench.message({ name: 'swap-device' }, layOut)).toBeUndefined()
  })
})

describe('swap-map', () => {
  test('a slot that is taken, used, given up and freed under its lock is clean', () => {
    const steps = (b: Bench): void => {
      for (const value of [b.s.SWAP_HAS_CACHE, b.s.SWAP_HAS_CACHE + 1, 1, b.s.SWAP_HAS_CACHE, 0])
        writeMap(b, freeSlot(b), value)
    }
    expect(bench.message({ name: 'swap-map' }, steps)).toBeUndefined()
  })

  test('a use of a free slot is a violation of E4 alone', () => {
    const steps = (b: Bench): void => writeMap(b, freeSlot(b), 1)
    expect(bench.violated(steps)).toEqual(['swap-map'])
    expect(bench.message({ name: 'swap-map' }, steps)).toMatch(
      /^swap_map 0:19 0 -> 1: a free slot gains a use/,
    )
  })

  test('a slot that is freed while it is in use is a violation', () => {
    const steps = (b: Bench): void => {
      writeMap(b, freeSlot(b), b.s.SWAP_HAS_CACHE)
      writeMap(b, freeSlot(b), b.s.SWAP_HAS_CACHE + 1)
      writeMap(b, freeSlot(b), 0)
    }
    expect(bench.message({ name: 'swap-map' }, steps)).toContain('a slot is freed that is in use')
  })

  test('a write without the lock of the cluster is a violation', () => {
    const steps = (b: Bench): void => b.step(0, Kind.ONCE_WRITE, freeSlot(b), b.s.SWAP_HAS_CACHE)
    expect(bench.message({ name: 'swap-map' }, steps)).toContain("without its cluster's lock")
  })
})

describe('page-lock', () => {
  test('a migration entry of a page that is not locked is a violation of E6 alone', () => {
    expect(bench.violated((b) => void migrate(b))).toEqual(['page-lock'])
    expect(bench.message({ name: 'page-lock' }, (b) => void migrate(b))).toMatch(
      /-> migration read of page 0x\w+: page 0x\w+ is not locked/,
    )
  })

  test('unlocking a page that a migration entry stands for is a violation', () => {
    const steps = (b: Bench): void => {
      const flags = b.pageOf(b.memory[b.pte.addr]) + b.s.page$flags
      b.step(0, Kind.FETCH_OR, flags, b.s.PG_locked)
      migrate(b)
      b.step(0, Kind.FETCH_AND, flags, ~b.s.PG_locked)
    }
    expect(bench.message({ name: 'page-lock' }, steps)).toContain('is unlocked while 1 migration entries')
  })

  test('a page that changes its owner unlocked is a violation', () => {
    const steps = (b: Bench): void => {
      const mapping = b.pageOf(b.memory[b.pte.addr]) + b.s.page$mapping
      b.step(0, Kind.ONCE_WRITE, mapping, b.memory[mapping] + 32)
    }
    expect(bench.message({ name: 'page-lock' }, steps)).toContain('while it is not locked')
  })

  test('a locked page that goes from one anon_vma to another is clean, but not by way of a file', () => {
    const move =
      (...between: number[]) =>
      (b: Bench): void => {
        const page = b.pageOf(b.memory[b.pte.addr])
        const mapping = page + b.s.page$mapping
        const next = b.memory[mapping] + 32
        b.step(0, Kind.FETCH_OR, page + b.s.page$flags, b.s.PG_locked)
        for (const missing of [...between, 0]) b.step(0, Kind.ONCE_WRITE, mapping, next - missing)
        b.step(0, Kind.FETCH_AND, page + b.s.page$flags, ~b.s.PG_locked)
      }
    expect(bench.violated(move())).toEqual([])
    expect(bench.violated(move(bench.s.PAGE_MAPPING_ANON))).toEqual(['page-lock'])
  })
})

describe('the ledger', () => {
  test('counts a migration entry as the page it stands for, and a swap entry as MM_SWAPENTS', () => {
    expect(bench.message({ name: 'ledger' }, (b) => void migrate(b))).toBeUndefined()
    const swapped = (b: Bench): void => {
      const { addr, table } = b.pte
      const page = b.pageOf(b.memory[addr])
      b.holding(0, table, () => {
        b.step(0, Kind.XCHG, addr, 0)
        b.step(0, Kind.ONCE_WRITE, addr, (19 << b.s.PFN_SHIFT) | (1 << READ))
        b.step(0, Kind.FETCH_ADD, page + b.s.page$_mapcount, -1)
      })
    }
    expect(bench.message({ name: 'ledger' }, swapped)).toMatch(/1 page table entries of MM_\w+, counter 0/)
  })
})

describe('pte-transitions', () => {
  test('a present entry that becomes a swap entry without being cleared is a violation', () => {
    const steps = (b: Bench): void => {
      const { addr, table } = b.pte
      b.holding(0, table, () => b.step(0, Kind.XCHG, addr, (19 << b.s.PFN_SHIFT) | (1 << READ)))
    }
    expect(bench.message({ name: 'pte-transitions' }, steps)).toMatch(/-> swp 0:19: a present entry/)
  })

  /** CPU 0 replaces the swap entry of slot 19 on device 0, which it has put in the place of a page, by `entry`. */
  const replaced =
    (entry: number) =>
    (b: Bench): void => {
      const { addr, table } = b.pte
      b.holding(0, table, () => {
        b.step(0, Kind.XCHG, addr, 0)
        b.step(0, Kind.ONCE_WRITE, addr, (19 << b.s.PFN_SHIFT) | (1 << READ))
      })
      b.holding(0, table, () => b.step(0, Kind.ONCE_WRITE, addr, entry))
    }

  test('a swap entry that becomes one of another slot or another device is a violation', () => {
    const { PFN_SHIFT } = bench.s
    for (const entry of [(18 << PFN_SHIFT) | (1 << READ), (19 << PFN_SHIFT) | (2 << READ)])
      expect(bench.message({ name: 'pte-transitions' }, replaced(entry))).toContain('becomes another')
  })

  test('a swap entry that loses its exclusive bit, or becomes the mark of an error, is clean', () => {
    const { PFN_SHIFT } = bench.s
    for (const entry of [(19 << PFN_SHIFT) | (1 << READ) | (1 << 6), MARKER << READ])
      expect(bench.message({ name: 'pte-transitions' }, replaced(entry))).toBeUndefined()
  })
})
