import { expect, test } from 'vitest'
import { lockMachine } from './machine.ts'

test('who takes all parts is alone, and who takes one sees what was left', async () => {
  const m = await lockMachine()
  m.kernel.lg_lock_init(m.free, m.symbols.LOCK_CLASS_user)
  await m.run(4, 'hammer_lglock', [m.free, m.free + 512, 3000])
  expect(m.memory[m.free + 512]).toBe(4 * 750)
})

test('readers of two CPUs write to no line that both have', async () => {
  const m = await lockMachine('SPINLOCK=tas')
  const other = m.cpu(1)
  m.kernel.lg_lock_init(m.free, m.symbols.LOCK_CLASS_user)
  const before = m.memory.slice(m.free, m.free + m.symbols.LG_LOCK_WORDS)
  m.kernel.lg_local_lock(m.free)
  other.lg_local_lock(m.free)
  const changed = [...before.keys()].filter((i) => m.memory[m.free + i] !== before[i])
  expect(changed.map((i) => Math.floor(i / 16))).toEqual([1, 2])
})
