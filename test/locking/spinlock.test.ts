import { describe, expect, test } from 'vitest'
import { lockMachine } from './machine.ts'

const ALGORITHMS = ['tas', 'ttas', 'ticket', 'mcs', 'qspinlock', 'pvqspinlock']
/** Hand-overs to a halted CPU cost a wake-up each: fewer rounds where the lock is handed over. */
const rounds = (algorithm: string): number => (algorithm === 'ticket' || algorithm === 'mcs' ? 500 : 5000)

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test('excludes the other CPUs', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    m.kernel.init_locks(m.free, 1)
    const n = rounds(algorithm)
    await m.run(4, 'hammer', [m.free, m.free + 64, n])
    expect(m.memory[m.free + 64]).toBe(4 * n)
  })

  test('loses no wake-up when every wait halts and there are more CPUs than cores', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    m.memory[m.symbols.machine$spin_budget] = 0
    m.kernel.init_locks(m.free, 1)
    const n = rounds(algorithm) / 2
    await m.run(8, 'hammer', [m.free, m.free + 64, n])
    expect(m.memory[m.free + 64]).toBe(8 * n)
  })

  test('can be released in the order it was taken, by many CPUs at once', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    m.kernel.init_locks(m.free, 4)
    const n = rounds(algorithm) / 2
    await m.run(4, 'hammer_crossed', [m.free, m.free + 64, n])
    const counts = [0, 1, 2, 3].map((lock) => m.memory[m.free + 64 + 16 * lock])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4 * n * 3)
  })

  test('is free for others after any order of release', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    const other = m.cpu(1)
    m.kernel.init_locks(m.free, 3)
    const locks = [m.free, m.free + 16, m.free + 32]
    for (const order of [
      [0, 1, 2],
      [1, 0, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      for (const lock of locks) m.kernel.spin_lock(lock)
      for (const i of order) {
        expect(other.spin_trylock(locks[i])).toBe(false)
        m.kernel.spin_unlock(locks[i])
        expect(other.spin_trylock(locks[i])).toBe(true)
        other.spin_unlock(locks[i])
      }
    }
    expect(m.kernel.lockdep_depth()).toBe(0)
  })

  test('is not contended while nobody waits', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    m.kernel.init_locks(m.free, 1)
    m.kernel.spin_lock(m.free)
    expect(m.kernel.spin_needbreak(m.free)).toBe(false)
    m.kernel.spin_unlock(m.free)
  })

  test('is contended while a CPU waits, and then that CPU gets it', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    m.kernel.init_locks(m.free, 1)
    m.kernel.spin_lock(m.free)
    const end = m.start(1, 'note_turn', [m.free, m.free + 64])
    await m.waits(1)
    expect(m.kernel.spin_needbreak(m.free)).toBe(true)
    m.kernel.spin_unlock(m.free)
    await end
    expect(m.memory[m.free + 65]).toBe(1)
  })

  test('fits into a struct page with its statistics', async () => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`, 'LOCK_STAT=y')
    expect(m.symbols.LOCK_WORDS).toBeLessThanOrEqual(m.symbols.PAGE_PTL_WORDS)
  })
})

test.each(['ticket', 'mcs', 'qspinlock', 'pvqspinlock'])(
  '%s serves waiting CPUs in the order they came',
  async (algorithm) => {
    const m = await lockMachine(`SPINLOCK=${algorithm}`)
    const holder = m.cpu(15)
    holder.init_locks(m.free, 1)
    holder.spin_lock(m.free)
    const order = [3, 1, 4, 2]
    const ends = []
    for (const cpu of order) {
      ends.push(m.start(cpu, 'note_turn', [m.free, m.free + 64]))
      await m.waits(cpu)
    }
    holder.spin_unlock(m.free)
    await Promise.all(ends)
    expect([...m.memory.subarray(m.free + 65, m.free + 69)]).toEqual(order)
  },
)

test('qspinlock has the first CPU that waits set pending, and lets nobody pass it', async () => {
  const m = await lockMachine('SPINLOCK=qspinlock')
  const { _Q_LOCKED_VAL, _Q_PENDING_VAL, _Q_TAIL_MASK, _Q_TAIL_CPU_OFFSET } = m.symbols
  m.kernel.init_locks(m.free, 1)
  m.kernel.spin_lock(m.free)
  const first = m.start(1, 'note_turn', [m.free, m.free + 64])
  await m.waits(1)
  expect(m.memory[m.free]).toBe(_Q_LOCKED_VAL | _Q_PENDING_VAL)
  const second = m.start(2, 'note_turn', [m.free, m.free + 64])
  await m.waits(2)
  expect(m.memory[m.free] & _Q_TAIL_MASK).toBe((2 + 1) << _Q_TAIL_CPU_OFFSET)
  // A CPU waits whose turn will not come: the lock is free, and not for others.
  m.kernel.spin_unlock(m.free)
  await Promise.all([first, second])
  m.memory[m.free] = _Q_PENDING_VAL
  expect(m.kernel.spin_trylock(m.free)).toBe(false)
})

test('pvqspinlock lets a newcomer pass the queue a bounded number of times', async () => {
  const m = await lockMachine('SPINLOCK=pvqspinlock')
  m.kernel.init_locks(m.free, 1)
  // A queue whose head never runs: CPU 2 waits in node 0.
  const queued = (2 + 1) << m.symbols._Q_TAIL_CPU_OFFSET
  m.memory[m.free] = queued
  let thefts = 0
  while ((m.memory[m.free] & m.symbols._Q_PENDING_VAL) === 0) {
    m.kernel.spin_lock(m.free)
    m.kernel.spin_unlock(m.free)
    thefts++
  }
  expect(thefts).toBe(100)
  expect(m.memory[m.free] & m.symbols._Q_TAIL_MASK).toBe(queued)
})
