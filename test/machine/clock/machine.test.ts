import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ClockOptions, ClockResult } from '../../../src/machine/clock/machine.ts'
import type { ClockObserver } from '../../../src/machine/clock/observer.ts'
import { CACHE } from '../../../src/machine/clock/observer.ts'
import { compileTopology } from '../../../src/machine/clock/topology.ts'
import { type Clocked, clocked, SMALL } from './clock.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url))
const rate = ({ figures, window }: ClockResult): number => figures.operations / window
const LIMITS = { operations: 200, time: Infinity }
const WIDE = { ...SMALL, caches: { ...SMALL.caches, private: 131_072 } }

let line: Clocked
let ticket: Clocked
let mcs: Clocked
let forks: Clocked
beforeAll(async () => {
  line = await clocked(fixture('one_line'))
  ticket = await clocked('lock-torture', 'SPINLOCK=ticket')
  mcs = await clocked('lock-torture', 'SPINLOCK=mcs')
  forks = await clocked('fork-storm')
})

describe('time', () => {
  test('of atomics on one line is their transfers, one after another', () => {
    const { figures, window } = line.make(8).run(LIMITS)
    // Each operation brings the line from another CPU, and the line serves one at a time: no faster than its shortest
    // way.
    expect(figures.transfers).toBeGreaterThanOrEqual(figures.operations - 8)
    expect(window).toBeGreaterThanOrEqual(figures.operations * 25_000)
  })

  test('of atomics on lines of their own is that of one CPU', () => {
    const one = rate(line.make(1, { pages: 2 }).run(LIMITS))
    const eight = rate(line.make(8, { pages: 2 }).run(LIMITS))
    expect(eight / one).toBeGreaterThan(7)
  })

  test('of a simulated window is what was asked for', () => {
    const { window } = line.make(4).run({ operations: Infinity, time: 1e7 })
    expect(window).toBeGreaterThanOrEqual(1e7)
    expect(window).toBeLessThan(1.1e7)
  })

  test('passes by ndelay', () => {
    const { figures, window } = mcs.make(1, { section: 1000, think: 0 }).run(LIMITS)
    expect(window / figures.operations).toBeGreaterThan(1_000_000)
    expect(window / figures.operations).toBeLessThan(1_200_000)
  })
})

describe('locks', () => {
  test('a ticket lock gets slower with waiters where a queue lock does not', () => {
    const at = (lock: Clocked, cpus: number): number =>
      rate(lock.make(cpus, { section: 100, think: 100 }).run(LIMITS))
    expect(at(ticket, 8) / at(ticket, 2)).toBeLessThan(0.6)
    expect(at(mcs, 8) / at(ticket, 8)).toBeGreaterThan(1.5)
  })

  test('are counted with their waits and holds', () => {
    const { figures, window } = mcs.make(4, { section: 500, think: 0 }).run(LIMITS)
    const [use] = figures.locks.toSorted((left, right) => right.waitTotal - left.waitTotal)
    expect(use.acquisitions).toBeGreaterThan(700)
    expect(use.contentions / use.acquisitions).toBeGreaterThan(0.9)
    // One holds, three wait.
    expect(use.waitTotal / (4 * window)).toBeGreaterThan(0.6)
    expect(use.holdTotal / window).toBeGreaterThan(0.7)
    expect(use.holdTotal / window).toBeLessThanOrEqual(1.01)
  })
})

test('a lock whose waiters never sleep counts as contended too', async () => {
  const tas = await clocked('lock-torture', 'SPINLOCK=tas')
  const { figures } = tas.make(4, { section: 500, think: 0 }).run(LIMITS)
  const [use] = figures.locks.toSorted((left, right) => right.waitTotal - left.waitTotal)
  expect(use.contentions / use.acquisitions).toBeGreaterThan(0.5)
})

test('pages that are cleared go through the caches at their size in Linux', async () => {
  const faults = await clocked('page-fault-disjoint')
  const machine = faults.make(1, { hardware: compileTopology(WIDE, 1, 1) })
  const { figures } = machine.run({ operations: 600, time: Infinity })
  // 128 KiB of caches are 32 pages of 4 KiB; what the model keeps of them would find room.
  expect(figures.llcFetches / figures.operations).toBeGreaterThan(0.2)
})

describe('equal seeds', () => {
  test('give equal figures', () => {
    const run = (): unknown => {
      const { figures, window } = forks.make(4).run(LIMITS)
      return [window, figures.accesses, figures.transfers, figures.locks]
    }
    expect(run()).toEqual(run())
  })

  test('with other ones the order of equals differs', () => {
    expect(forks.make(4, { seed: 2 }).run(LIMITS).window).not.toBe(forks.make(4).run(LIMITS).window)
  })
})

test('TLB shootdowns interrupt the CPUs that they are for', () => {
  const machine = forks.make(4)
  const { figures } = machine.run(LIMITS)
  expect(figures.interrupts).toBeGreaterThan(0)
  expect(machine.stat[machine.symbols['NR_TLB_REMOTE_FLUSH_RECEIVED']]).toBeGreaterThanOrEqual(
    figures.interrupts,
  )
})

test('a lag makes CPUs run ahead, and moves the figures little', () => {
  const exact = rate(forks.make(8).run(LIMITS))
  const ahead = rate(forks.make(8, { lag: 40_000 }).run(LIMITS))
  expect(Math.abs(ahead / exact - 1)).toBeLessThan(0.25)
})

test('waits that nobody ends are a deadlock', async () => {
  const waits = await clocked(fixture('waits'))
  expect(() => waits.make(2).run(LIMITS)).toThrow('no CPU can go on')
})

test('a program that does no operation ends the run, on one CPU too', async () => {
  const busy = await clocked(fixture('no_operation'))
  for (const cpus of [1, 2])
    expect(() => busy.make(cpus, { patience: 20_000 }).run(LIMITS)).toThrow(
      /^has begun an operation for \d\d,\d\d\d accesses$/,
    )
})

test('an observer sees every access, and its time adds up', () => {
  let accesses = 0
  let time = 0
  let moved = 0
  const observer: ClockObserver = {
    begin: () => {
      accesses = 0
      time = 0
      moved = 0
    },
    access: (_cpu, _site, _addr, _kind, source, waited, cost) => {
      accesses++
      time += waited + cost
      if (source >= CACHE) moved++
    },
  }
  const { figures, window } = line.make(4, { observer }).run(LIMITS)
  expect(accesses).toBe(figures.accesses)
  expect(moved).toBe(figures.transfers)
  expect(time / (4 * window)).toBeGreaterThan(0.9)
  expect(time / (4 * window)).toBeLessThan(1.1)
})

describe('the time that an observer is told of', () => {
  const CASES: [string, Partial<ClockOptions>][] = [
    ['page-fault-disjoint', {}],
    ['lock-torture', { section: 300, think: 2000 }],
    ['fork-storm', {}],
  ]
  test.each(CASES)('%s: is all of the window, and telling changes no figure', async (name, options) => {
    let time = 0
    const observer: ClockObserver = {
      begin: () => {
        time = 0
      },
      access: (_cpu, _site, _addr, _kind, _source, waited, cost) => {
        time += waited + cost
      },
      passed: (_cpu, _where, _last, passed) => {
        time += passed
      },
    }
    const scenario = await clocked(name)
    const told = scenario.make(4, { ...options, observer }).run(LIMITS)
    const untold = scenario.make(4, options).run(LIMITS)
    expect(told.ended).toBe(false)
    expect(time / (4 * told.window)).toBeGreaterThan(0.99)
    expect(time / (4 * told.window)).toBeLessThan(1.01)
    expect(told.window).toBe(untold.window)
    expect(told.figures.locks).toEqual(untold.figures.locks)
    expect(told.figures.stallOutside).toEqual(untold.figures.stallOutside)
  })
})

test('the memory that boot has made serves a second machine', () => {
  const first = line.make(2)
  const second = line.make(2, { booted: first.booted })
  expect(second.run(LIMITS).window).toBe(first.run(LIMITS).window)
})
