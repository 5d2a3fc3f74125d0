import { expect, test } from 'vitest'
import { lockMachine, type LockMachine } from './machine.ts'

/** A counter of class `LOCK_CLASS_<name>`, subclass `subclass`, in a CPU's `stat`. */
function counter(m: LockMachine, stat: Float64Array, name: string, field: string, subclass = 0): number {
  const { STAT_LOCK, LOCK_STAT_ROWS, LOCK_STAT_WORDS, NR_LOCK_SUBCLASSES } = m.symbols
  const row = m.symbols[`LOCK_CLASS_${name}`] * NR_LOCK_SUBCLASSES + subclass
  return stat[STAT_LOCK + LOCK_STAT_ROWS + row * LOCK_STAT_WORDS + m.symbols[`lock_stat$${field}`]]
}

test('counts acquisitions, and as bounces those after another CPU', async () => {
  const m = await lockMachine('LOCK_STAT=y', 'HOLDTIME_SAMPLE=1')
  const other = m.cpu(1)
  m.kernel.init_locks(m.free, 1)
  for (const cpu of [m.kernel, m.kernel, other, other, m.kernel]) {
    cpu.spin_lock(m.free)
    cpu.spin_unlock(m.free)
  }
  expect(counter(m, m.stat, 'user', 'acquisitions')).toBe(5)
  expect(counter(m, m.stat, 'user', 'acq_bounces')).toBe(2)
  expect(counter(m, m.stat, 'user', 'contentions')).toBe(0)
  expect(counter(m, m.stat, 'user', 'holdtime_nr')).toBe(5)
})

test('times every wait and counts it as a bounce if another CPU had the lock', async () => {
  const m = await lockMachine('LOCK_STAT=y')
  const holder = m.cpu(15)
  m.kernel.init_locks(m.free, 1)
  holder.spin_lock(m.free)
  const end = m.start(1, 'note_turn', [m.free, m.free + 64])
  await m.waits(1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  holder.spin_unlock(m.free)
  const { stat } = await end
  expect(counter(m, stat, 'user', 'contentions')).toBe(1)
  expect(counter(m, stat, 'user', 'con_bounces')).toBe(1)
  expect(counter(m, stat, 'user', 'waittime_nr')).toBe(1)
  expect(counter(m, stat, 'user', 'waittime_min')).toBeGreaterThan(15e6)
  expect(counter(m, stat, 'user', 'waittime_max')).toBe(counter(m, stat, 'user', 'waittime_total'))
})

test('times one hold in HOLDTIME_SAMPLE', async () => {
  const m = await lockMachine('LOCK_STAT=y', 'HOLDTIME_SAMPLE=4')
  m.kernel.init_locks(m.free, 1)
  for (let i = 0; i < 40; i++) {
    m.kernel.spin_lock(m.free)
    m.kernel.spin_unlock(m.free)
  }
  expect(counter(m, m.stat, 'user', 'holdtime_nr')).toBe(10)
})

test("a hold's time follows its lock when an older one is released first", async () => {
  const m = await lockMachine('LOCK_STAT=y', 'HOLDTIME_SAMPLE=1')
  m.kernel.init_locks(m.free, 2)
  m.kernel.spin_lock(m.free)
  m.kernel.spin_lock(m.free + 16)
  m.kernel.spin_unlock(m.free)
  const until = performance.now() + 5
  while (performance.now() < until);
  m.kernel.spin_unlock(m.free + 16)
  expect(counter(m, m.stat, 'user', 'holdtime_nr')).toBe(2)
  expect(counter(m, m.stat, 'user', 'holdtime_max')).toBeGreaterThan(4e6)
  expect(counter(m, m.stat, 'user', 'holdtime_min')).toBeLessThan(4e6)
})

test('counts a nested lock under its subclass', async () => {
  const m = await lockMachine('LOCK_STAT=y')
  m.kernel.init_locks(m.free, 2)
  m.kernel.spin_lock(m.free)
  m.kernel.spin_lock_nested(m.free + 16, 1)
  expect(counter(m, m.stat, 'user', 'acquisitions')).toBe(1)
  expect(counter(m, m.stat, 'user', 'acquisitions', 1)).toBe(1)
})

test('counts the two modes of a semaphore apart', async () => {
  const m = await lockMachine('LOCK_STAT=y')
  m.kernel.init_sem(m.free)
  m.kernel.down_write(m.free)
  m.kernel.up_write(m.free)
  for (let i = 0; i < 3; i++) {
    m.kernel.down_read(m.free)
    m.kernel.up_read(m.free)
  }
  expect(counter(m, m.stat, 'user_rwsem_W', 'acquisitions')).toBe(1)
  expect(counter(m, m.stat, 'user_rwsem_R', 'acquisitions')).toBe(3)
})

test('adds up to every acquisition of many CPUs', async () => {
  const m = await lockMachine('LOCK_STAT=y')
  m.kernel.init_locks(m.free, 1)
  const results = await m.run(4, 'hammer', [m.free, m.free + 64, 2000])
  const acquisitions = results.map(({ stat }) => counter(m, stat, 'user', 'acquisitions'))
  expect(acquisitions).toEqual([2000, 2000, 2000, 2000])
  for (const { stat } of results)
    expect(counter(m, stat, 'user', 'waittime_nr')).toBe(counter(m, stat, 'user', 'contentions'))
})

test('without LOCK_STAT a lock has no word for it and nothing is counted', async () => {
  const m = await lockMachine('LOCK_STAT=n')
  expect(m.symbols.LOCK_WORDS).toBe(m.symbols.SPINLOCK_WORDS)
  m.kernel.init_locks(m.free, 1)
  m.kernel.spin_lock(m.free)
  m.kernel.spin_unlock(m.free)
  expect(m.stat.every((word) => word === 0)).toBe(true)
})
