import { beforeEach, describe, expect, test } from 'vitest'
import { describeWait, heldLocks, waitedFor, waitKind, waitManner } from '../../src/inspect/waits.ts'

const symbols = {
  PERCPU: 1024,
  PERCPU_WORDS: 128,
  NR_CPUS: 4,
  MAX_HELD_LOCKS: 14,
  percpu$irq_pending: 0,
  percpu$waiting_on: 24,
  percpu$held_count: 32,
  percpu$held_locks: 33,
  percpu$flush_acks: 51,
  percpu$waiter_next: 52,
  percpu$waiter_granted: 54,
  percpu$qnodes: 64,
  percpu$tlb: 96,
  QNODES: 2,
  QNODE_WORDS: 16,
  mcs_spinlock$next: 0,
  mcs_spinlock$lock: 3,
  RQ: 1744,
  RQ_WORDS: 48,
  rq$event: 32,
  MMS: 1600,
  MM_WORDS: 64,
  NR_MMS: 1,
  mm$id: 4,
  mm$mmap_lock: 16,
  mm$page_table_lock: 32,
  rwsem$wait_head: 2,
}
const MMAP_LOCK = 1616
const PAGE_TABLE_LOCK = 1632
const cpu = (number: number): number => 1024 + number * 128
let memory: Int32Array

beforeEach(() => {
  memory = new Int32Array(2048)
  memory[1604] = 3
})

const view = (): { memory: Int32Array; symbols: typeof symbols } => ({ memory, symbols })

describe('what a CPU waits for', () => {
  test('is nothing while it runs', () => {
    expect(describeWait(view(), 0, 4)).toBeUndefined()
    expect(waitManner(view(), 0)).toBeUndefined()
  })

  test('is a lock, held by those who have it in their lists', () => {
    memory[cpu(1) + 24] = PAGE_TABLE_LOCK
    memory[cpu(2) + 32] = 2
    memory.set([MMAP_LOCK, PAGE_TABLE_LOCK], cpu(2) + 33)
    expect(heldLocks(view(), 2)).toEqual([MMAP_LOCK, PAGE_TABLE_LOCK])
    expect(describeWait(view(), 1, 4)).toBe('mm 3 page_table_lock (word 0x660), held by CPU 2')
    expect(waitKind(view(), 1, 4)).toBe('mm page_table_lock')
    expect(waitManner(view(), 1)).toBe('spinlock')
  })

  test('is the lock of its queue node when the node says it', () => {
    memory[cpu(1) + 24] = cpu(1) + 64 + 1
    memory[cpu(1) + 64 + 3] = PAGE_TABLE_LOCK
    expect(waitedFor(view(), 1, 4)).toBe(PAGE_TABLE_LOCK)
  })

  test('is what the head of its queue waits for', () => {
    // CPU 3 is behind CPU 0, that is behind CPU 2, which waits for the lock itself.
    memory[cpu(3) + 24] = cpu(3) + 64 + 1
    memory[cpu(0) + 64] = cpu(3) + 64
    memory[cpu(0) + 24] = cpu(0) + 64 + 1
    memory[cpu(2) + 80] = cpu(0) + 64
    memory[cpu(2) + 24] = PAGE_TABLE_LOCK
    expect(waitedFor(view(), 3, 4)).toBe(PAGE_TABLE_LOCK)
  })

  test('is the semaphore in whose list it sleeps', () => {
    memory[MMAP_LOCK + 2] = 3
    memory[cpu(2) + 52] = 2
    memory[cpu(1) + 24] = cpu(1) + 54
    expect(waitedFor(view(), 1, 4)).toBe(MMAP_LOCK)
    expect(waitManner(view(), 1)).toBe('asleep')
  })

  test('is an acknowledgement, and who has not given it', () => {
    memory[cpu(1) + 24] = cpu(1) + 51
    memory[cpu(3)] = 1 << 1
    expect(describeWait(view(), 1, 4)).toBe('the acknowledgement of its TLB flush from CPU 3')
    expect(waitKind(view(), 1, 4)).toBe('TLB flush')
  })

  test('is a task when it idles', () => {
    memory[cpu(1) + 24] = 1744 + 48 + 32
    expect(describeWait(view(), 1, 4)).toBe('a task to run (idle)')
    expect(waitKind(view(), 1, 4)).toBeUndefined()
  })
})
