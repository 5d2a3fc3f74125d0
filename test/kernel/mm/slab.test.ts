// Object caches on one CPU, seen through their words, with the checks after each: what goes where, and that list_lock
// is the only lock.
import { beforeEach, expect, test } from 'vitest'
import { RestingMachine } from '../../../src/checks/resting_machine.ts'
import { oneCpu, type OneCpu } from '../machine.ts'

const CACHE = 2 // vm_area_struct

let m: OneCpu
let cachep: number
let objects: number

beforeEach(async () => {
  m = await oneCpu('LOCK_STAT=y', 'HOLDTIME_SAMPLE=1')
  cachep = m.symbols.KMEM_CACHES + CACHE * m.symbols.KMEM_CACHE_WORDS
  objects = m.symbols.OBJECTS_PER_VMA_SLAB
})

const alloc = (): number => m.kernel.kmem_cache_alloc(cachep) as number
const free = (object: number): void => m.kernel.kmem_cache_free(cachep, object) as void
const many = (n: number): number[] => Array.from({ length: n }, alloc)

/** How often a list_lock was taken. */
function locked(): number {
  const { symbols: s, stat } = m
  const row = s.LOCK_CLASS_kmem_cache * s.NR_LOCK_SUBCLASSES * s.LOCK_STAT_WORDS
  return stat[s.STAT_LOCK + s.LOCK_STAT_ROWS + row + s.lock_stat$acquisitions]
}

/** What the walk of all caches finds wrong. */
function problems(): readonly string[] {
  return new RestingMachine({ memory: m.memory, symbols: m.symbols }, 'running').caches.vm_area_struct
    .problems
}

function nrPartial(): number {
  const { KMEM_CACHE_NODES, KMEM_CACHE_NODE_WORDS, kmem_cache_node$nr_partial } = m.symbols
  return m.memory[KMEM_CACHE_NODES + CACHE * KMEM_CACHE_NODE_WORDS + kmem_cache_node$nr_partial]
}

test('an object that is given back is the next one, without a lock', () => {
  const object = alloc()
  const before = locked()
  free(object)
  expect(alloc()).toBe(object)
  expect(locked()).toBe(before)
  expect(problems()).toEqual([])
})

test('a full slab that gets an object back is one of the partial slabs of the CPU, without a lock', () => {
  const all = many(3 * objects)
  const before = locked()
  free(all[0])
  expect(locked()).toBe(before)
  expect(problems()).toEqual([])
  // When the CPU's slab is full, that one comes first.
  const next = many(objects)
  expect(next).toContain(all[0])
  expect(locked()).toBe(before)
})

test('too many partial slabs of a CPU go to the node under list_lock', () => {
  const { CPU_PARTIAL_SLABS } = m.symbols
  const all = many((CPU_PARTIAL_SLABS + 3) * objects)
  const before = locked()
  for (let slab = 1; slab <= CPU_PARTIAL_SLABS; slab++) free(all[slab * objects])
  expect(locked()).toBe(before)
  expect(nrPartial()).toBe(0)
  free(all[(CPU_PARTIAL_SLABS + 1) * objects])
  expect(locked() - before).toBe(CPU_PARTIAL_SLABS)
  expect(nrPartial()).toBe(CPU_PARTIAL_SLABS)
  expect(problems()).toEqual([])
})

test('slabs without an object in use go back to the arena, but for a few', () => {
  const all = many(12 * objects)
  for (const object of all) free(object)
  expect(nrPartial()).toBeLessThanOrEqual(6)
  expect(problems()).toEqual([])
  expect(new Set(many(12 * objects))).toEqual(new Set(all))
})

test('an arena without a slab gives nothing, and what comes back is found again', () => {
  const all: number[] = []
  for (let object = alloc(); object !== 0; object = alloc()) all.push(object)
  expect(new Set(all).size).toBe(all.length)
  expect(all.length).toBeGreaterThan(m.symbols.NR_VMAS - 2 * objects)
  free(all[5])
  expect(alloc()).toBe(all[5])
  expect(problems()).toEqual([])
})
