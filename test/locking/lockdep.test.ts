import { expect, test } from 'vitest'
import { lockMachine } from './machine.ts'

test('a held lock is known to its CPU only', async () => {
  const m = await lockMachine()
  const other = m.cpu(1)
  m.kernel.init_locks(m.free, 1)
  m.kernel.spin_lock(m.free)
  expect(m.kernel.lock_is_held(m.free)).toBe(true)
  expect(other.lock_is_held(m.free)).toBe(false)
  expect(() => other.lockdep_assert_held(m.free)).toThrow('BUG')
})

test('the list keeps the order of the locks that remain when one in the middle is released', async () => {
  const m = await lockMachine()
  m.kernel.init_locks(m.free, 3)
  for (const i of [0, 1, 2]) m.kernel.spin_lock(m.free + 16 * i)
  m.kernel.spin_unlock(m.free + 16)
  const { PERCPU, percpu$held_count, percpu$held_locks } = m.symbols
  expect(m.memory[PERCPU + percpu$held_count]).toBe(2)
  const held = PERCPU + percpu$held_locks
  expect([...m.memory.subarray(held, held + 2)]).toEqual([m.free, m.free + 32])
})

test('releasing a lock that is not held is a BUG', async () => {
  const m = await lockMachine()
  m.kernel.init_locks(m.free, 1)
  expect(() => m.kernel.spin_unlock(m.free)).toThrow('BUG')
})

test('one lock more than the list holds is a BUG', async () => {
  const m = await lockMachine()
  const { MAX_HELD_LOCKS } = m.symbols
  m.kernel.init_locks(m.free, MAX_HELD_LOCKS + 1)
  for (let i = 0; i < MAX_HELD_LOCKS; i++) m.kernel.spin_lock(m.free + 16 * i)
  expect(() => m.kernel.spin_lock(m.free + 16 * MAX_HELD_LOCKS)).toThrow('BUG')
})

test('with interrupts saved and restored the nested state comes back', async () => {
  const m = await lockMachine()
  m.kernel.init_locks(m.free, 2)
  const outer = m.kernel.spin_lock_irqsave(m.free)
  const inner = m.kernel.spin_lock_irqsave(m.free + 16)
  m.kernel.spin_unlock_irqrestore(m.free + 16, inner)
  expect(m.memory[m.symbols.PERCPU + m.symbols.percpu$irqs_off]).toBe(1)
  m.kernel.spin_unlock_irqrestore(m.free, outer)
  expect(m.memory[m.symbols.PERCPU + m.symbols.percpu$irqs_off]).toBe(0)
})

test(
  'a lock taken with spin_lock_irq keeps interrupts off until it is given back, and one that is waited ' +
    'for comes back with them as they were',
  async () => {
    const m = await lockMachine()
    const irqsOff = m.symbols.PERCPU + m.symbols.percpu$irqs_off
    m.kernel.init_locks(m.free, 2)
    m.kernel.spin_lock_irq(m.free)
    expect(m.memory[irqsOff]).toBe(1)
    m.kernel.spin_unlock_wait(m.free + 16)
    expect(m.memory[irqsOff]).toBe(1)
    m.kernel.spin_unlock_irq(m.free)
    expect(m.memory[irqsOff]).toBe(0)
  },
)
