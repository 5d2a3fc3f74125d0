// E5 while others change the map too, or have deferred flushes: made-up steps, and a flush left out in a hunt.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { Kind } from '../../../src/step/kinds.ts'
import { hunted, verdictOf } from '../../reverts/hunted.ts'
import { Bench, bootStepped, buildStepped } from './bench.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The first page of the fixture's area. */
const PAGE = 512

let bench: Bench

beforeAll(async () => {
  const image = await buildStepped(path('fixtures/mapped.ts'))
  bench = new Bench(await bootStepped(image), image)
})

const area = (b: Bench, cpu: number): number => b.s.PERCPU + cpu * b.s.PERCPU_WORDS
const pending = (b: Bench): number => b.mm + b.s.mm$tlb_flush_pending

/** CPU 1's TLB translates the page as its PTE does. */
function cache(b: Bench): void {
  b.memory[area(b, 1) + b.s.percpu$loaded_mm] = b.mm
  b.memory[area(b, 1) + b.s.percpu$tlb] = PAGE + 1
  b.memory[area(b, 1) + b.s.percpu$tlb + 1] = b.memory[b.pte.addr]
}

function flush(b: Bench): void {
  b.memory[area(b, 1) + b.s.percpu$tlb] = 0
}

/** CPU `cpu` begins to gather, and ends it. */
function begin(b: Bench, cpu: number): void {
  b.memory[area(b, cpu) + b.s.tlb$mm] = b.mm
  b.step(cpu, Kind.FETCH_ADD, pending(b), 1)
}
function end(b: Bench, cpu: number): void {
  b.memory[area(b, cpu) + b.s.tlb$mm] = 0
  b.step(cpu, Kind.FETCH_ADD, pending(b), -1)
}

/** CPU `cpu` takes the right to write away. */
function protect(b: Bench, cpu: number): void {
  b.holding(cpu, b.pte.table, () => b.step(cpu, Kind.FETCH_AND, b.pte.addr, ~b.s._PAGE_RW))
}

/** CPU `cpu` looks at the PTE and leaves it. */
function look(b: Bench, cpu: number): void {
  b.holding(cpu, b.pte.table, () => b.step(cpu, Kind.ONCE_READ, b.pte.addr))
}

/** Reclaim on CPU `cpu` defers the flush of CPU 1. */
function defer(b: Bench, cpu: number): void {
  b.memory[area(b, cpu) + b.s.tlb_ubc$flush_required] = 1
  b.memory[area(b, cpu) + b.s.tlb_ubc$cpumask] = 1 << 1
}

const tlb = { name: 'tlb' }

describe('whoever changed an entry', () => {
  test('has it flushed when his gather ends, also while another gather is open', () => {
    const steps =
      (flushed: boolean) =>
      (b: Bench): void => {
        cache(b)
        begin(b, 1)
        begin(b, 0)
        protect(b, 0)
        if (flushed) flush(b)
        end(b, 0)
      }
    expect(bench.message(tlb, steps(false))).toMatch(/taken away at do_wp_page .*, and the change is over/)
    expect(bench.message(tlb, steps(true))).toBeUndefined()
  })

  test('has it flushed although reclaim elsewhere has deferred a flush of the same CPU', () => {
    const steps = (b: Bench): void => {
      cache(b)
      begin(b, 0)
      protect(b, 0)
      defer(b, 1)
      end(b, 0)
    }
    expect(bench.message(tlb, steps)).toContain('the TLB of CPU 1 still translates page 0x200')
  })

  test('has it flushed before he drops the table, if he neither gathers nor holds mmap_lock for writing', () => {
    const steps =
      (how: number) =>
      (b: Bench): void => {
        cache(b)
        b.observer.lockAcquire!(0, b.mm + b.s.mm$mmap_lock, 0, how)
        protect(b, 0)
      }
    expect(bench.message(tlb, steps(bench.s.LOCK_READ))).toContain('and the change is over')
    expect(bench.message(tlb, steps(0))).toBeUndefined()
  })

  test('may defer the flush as reclaim does', () => {
    const steps = (b: Bench): void => {
      cache(b)
      defer(b, 0)
      protect(b, 0)
    }
    expect(bench.message(tlb, steps)).toBeUndefined()
  })

  test('owes nothing for a translation that the entry grants again', () => {
    const steps = (b: Bench): void => {
      cache(b)
      begin(b, 1)
      begin(b, 0)
      protect(b, 0)
      b.holding(0, b.pte.table, () => b.step(0, Kind.FETCH_OR, b.pte.addr, b.s._PAGE_RW))
      end(b, 0)
    }
    expect(bench.message(tlb, steps)).toBeUndefined()
  })
})

describe('whoever comes across an entry that another has changed, while he changes the map', () => {
  const changed = (b: Bench): void => {
    cache(b)
    defer(b, 1)
    protect(b, 1)
  }

  test('has it flushed when his change ends, too', () => {
    const steps =
      (flushed: boolean) =>
      (b: Bench): void => {
        changed(b)
        begin(b, 0)
        if (flushed) flush(b)
        look(b, 0)
        end(b, 0)
      }
    expect(bench.message(tlb, steps(false))).toContain('and the change is over')
    expect(bench.message(tlb, steps(true))).toBeUndefined()
  })

  test('owes nothing if he only fills it by a fault, but whoever emptied it still does', () => {
    const steps =
      (flushed: boolean) =>
      (b: Bench): void => {
        cache(b)
        const other = b.memory[b.pte.addr] ^ (1 << b.s.PFN_SHIFT)
        begin(b, 0)
        b.holding(0, b.pte.table, () => b.step(0, Kind.XCHG, b.pte.addr, 0))
        b.holding(1, b.pte.table, () => b.step(1, Kind.ONCE_WRITE, b.pte.addr, other))
        if (flushed) flush(b)
        end(b, 0)
      }
    expect(bench.message(tlb, steps(false))).toMatch(/, and the change is over; .*on CPU 0$/s)
    expect(bench.message(tlb, steps(true))).toBeUndefined()
  })

  test('owes nothing if he maps another page there in a fault', () => {
    const steps = (b: Bench): void => {
      cache(b)
      defer(b, 1)
      const { addr, table } = b.pte
      const pte = b.memory[addr]
      b.holding(1, table, () => b.step(1, Kind.XCHG, addr, 0))
      b.holding(0, table, () => b.step(0, Kind.ONCE_WRITE, addr, pte + (1 << b.s.PFN_SHIFT)))
    }
    expect(bench.message(tlb, steps)).toBeUndefined()
  })

  test('owes nothing if he only faults there', () => {
    const steps = (b: Bench): void => {
      changed(b)
      look(b, 0)
    }
    expect(bench.message(tlb, steps)).toBeUndefined()
  })
})

test('a gather that leaves its flush to the last one is found at once', async () => {
  const form = { scenario: path('fixtures/discards.ts'), executions: 20 }
  expect(verdictOf(await hunted(form))).toBe('held')
  const patches = [path('patches/last-gather-flushes.patch')]
  expect(verdictOf(await hunted({ ...form, patches }))).toBe('tlb')
})
