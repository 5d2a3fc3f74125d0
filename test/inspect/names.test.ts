import { describe, expect, test } from 'vitest'
import { nameAddress, nameKind } from '../../src/inspect/names.ts'

// A machine of a few objects: CPU areas, two mms, four pages, one table, contents.
const symbols = {
  machine$stop: 64,
  machine$oom_lock: 160,
  PARKED: 256,
  PERCPU: 1024,
  PERCPU_WORDS: 128,
  NR_CPUS: 2,
  percpu$wake: 2,
  percpu$flush_acks: 51,
  percpu$qnodes: 64,
  QNODES: 2,
  QNODE_WORDS: 16,
  percpu$tlb: 96,
  PTLOCK_AREA: 1280,
  KMEM_CACHES: 1312,
  KMEM_CACHE_WORDS: 16,
  NR_KMEM_CACHES: 1,
  kmem_cache$lock: 0,
  mm_cachep: 1312,
  MMS: 1328,
  MM_WORDS: 64,
  NR_MMS: 2,
  mm$id: 4,
  mm$mmap_lock: 16,
  mm$page_table_lock: 32,
  rwsem$count: 0,
  rwsem$wait_lock: 6,
  LOCK_WORDS: 2,
  MEMMAP: 1456,
  PAGE_WORDS: 16,
  NR_PAGES: 4,
  page$flags: 0,
  page$_refcount: 1,
  page$index: 4,
  page$pt_mm: 5,
  page$compound_head: 8,
  page$compound_order: 9,
  page$ptl: 10,
  PG_table: 1 << 14,
  PGTABLES: 1520,
  PTRS_PER_TABLE: 8,
  CONTENT: 1552,
  PAGE_BYTES: 64,
  BOOT_DATA: 1616,
}
const memory = new Int32Array(2048)
memory[1328 + 64 + 4] = 7
memory[1456 + 2 * 16] = symbols.PG_table
const view = { memory, symbols }

describe('the name of a word', () => {
  test.each([
    [0, 'NULL'],
    [64, 'machine stop'],
    [160, 'machine oom_lock'],
    [260, 'machine PARKED 4'],
    [1024 + 128 + 2, 'CPU 1 wake'],
    [1024 + 51, 'CPU 0 flush_acks'],
    [1024 + 64 + 17, 'CPU 0 queue node 1'],
    [1024 + 128 + 100, 'CPU 1 TLB'],
    [1280 + 16, 'hashed ptlock 1'],
    [1312, 'object cache mm lock'],
    [1328 + 64 + 16, 'mm 7 mmap_lock'],
    [1328 + 64 + 22, 'mm 7 mmap_lock.wait_lock'],
    [1328 + 64 + 33, 'mm 7 page_table_lock'],
    [1456 + 16 + 1, 'page 0x1 _refcount'],
    [1456 + 16 + 4, 'page 0x1 index'],
    [1456 + 32 + 5, 'page 0x2 (table) pt_mm'],
    [1456 + 32 + 10, 'page 0x2 (table) ptl'],
    [1456 + 32 + 11, 'page 0x2 (table) ptl'],
    [1520 + 16 + 3, 'entry 3 of table page 0x2'],
    [1552 + 16 + 5, 'word 5 of the contents of page 0x1'],
    [2000, 'word 0x7d0'],
  ])('%i is %s', (address, name) => {
    expect(nameAddress(view, address)).toBe(name)
  })
})

test('the kind of a word does not say of which object it is', () => {
  expect(nameKind(view, 1328 + 64 + 16)).toBe('mm mmap_lock')
  expect(nameKind(view, 1456 + 32 + 10)).toBe('page (table) ptl')
  expect(nameKind(view, 1456 + 32)).not.toBe(nameKind(view, 1456))
  expect(nameKind(view, 1280 + 16)).toBe('hashed ptlock')
})

test('zones are told apart where there are several nodes', () => {
  const zones = { ZONES: 4096, ZONE_WORDS: 64, zone$lock: 0, zone$nr_free: 32 }
  const one = { memory, symbols: { ...symbols, ...zones, NODES: 1 } }
  const two = { memory, symbols: { ...symbols, ...zones, NODES: 2 } }
  expect(nameAddress(one, 4096 + 32)).toBe('zone nr_free')
  expect(nameAddress(two, 4096 + 32)).toBe('zone 0 nr_free')
  expect(nameAddress(two, 4096 + 64)).toBe('zone 1 lock')
})
