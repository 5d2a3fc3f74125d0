import { expect, test } from 'vitest'
import { lockMachine } from './machine.ts'

test('one CPU at a time is inside, and the other bits of the word stay what atomics make of them', async () => {
  const m = await lockMachine()
  m.kernel.bit_spin_lock_init(m.free, m.symbols.LOCK_CLASS_user)
  await m.run(4, 'hammer_bit', [m.free, m.free + 64, 3000])
  expect(m.memory[m.free + 64]).toBe(4 * 3000)
  expect(m.memory[m.free] & 1).toBe(0)
})

test('no wake-up is lost when every wait halts and there are more CPUs than cores', async () => {
  const m = await lockMachine()
  m.memory[m.symbols.machine$spin_budget] = 0
  m.kernel.bit_spin_lock_init(m.free, m.symbols.LOCK_CLASS_user)
  await m.run(8, 'hammer_bit', [m.free, m.free + 64, 500])
  expect(m.memory[m.free + 64]).toBe(8 * 500)
})

test('its holder is among those that hold a lock', async () => {
  const m = await lockMachine()
  m.kernel.bit_spin_lock(1, m.free, 0)
  expect(m.kernel.lock_is_held(m.free)).toBe(true)
  m.kernel.bit_spin_unlock(1, m.free)
  expect(m.kernel.lock_is_held(m.free)).toBe(false)
})
