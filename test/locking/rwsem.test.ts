import { expect, test } from 'vitest'
import { lockMachine } from './machine.ts'

test('writers exclude everybody, readers see what the last writer left', async () => {
  const m = await lockMachine()
  m.kernel.init_sem(m.free)
  await m.run(4, 'hammer_sem', [m.free, m.free + 64, 4000])
  expect(m.memory[m.free + 64]).toBe(4 * 4000 * (3 / 8))
  expect(m.memory[m.free + m.symbols.rwsem$count]).toBe(0)
})

test('no wake-up is lost when every wait halts and there are more CPUs than cores', async () => {
  const m = await lockMachine()
  m.memory[m.symbols.machine$spin_budget] = 0
  m.kernel.init_sem(m.free)
  await m.run(8, 'hammer_sem', [m.free, m.free + 64, 800])
  expect(m.memory[m.free + 64]).toBe(8 * 800 * (3 / 8))
  expect(m.memory[m.free + m.symbols.rwsem$count]).toBe(0)
  expect(m.memory[m.free + m.symbols.rwsem$wait_head]).toBe(0)
})

test('readers share, and a writer is refused meanwhile', async () => {
  const m = await lockMachine()
  const other = m.cpu(1)
  m.kernel.init_sem(m.free)
  m.kernel.down_read(m.free)
  expect(other.down_read_trylock(m.free)).toBe(true)
  expect(other.down_write_trylock(m.free)).toBe(false)
  other.up_read(m.free)
  m.kernel.up_read(m.free)
  expect(other.down_write_trylock(m.free)).toBe(true)
  expect(m.kernel.down_read_trylock(m.free)).toBe(false)
  other.up_write(m.free)
  expect(m.kernel.rwsem_is_locked(m.free)).toBe(false)
})

test('a downgraded writer lets readers in and writers not', async () => {
  const m = await lockMachine()
  const other = m.cpu(1)
  m.kernel.init_sem(m.free)
  m.kernel.down_write(m.free)
  m.kernel.rwsem_assert_held_write(m.free)
  m.kernel.downgrade_write(m.free)
  m.kernel.rwsem_assert_held(m.free)
  expect(m.kernel.rwsem_is_held_write(m.free)).toBe(false)
  expect(other.down_read_trylock(m.free)).toBe(true)
  expect(other.down_write_trylock(m.free)).toBe(false)
})

test('writers get it in the order they came', async () => {
  const m = await lockMachine()
  const holder = m.cpu(15)
  holder.init_sem(m.free)
  holder.down_write(m.free)
  const ends = []
  for (const cpu of [3, 1, 2]) {
    ends.push(m.start(cpu, 'note_write', [m.free, m.free + 64]))
    await m.waits(cpu)
  }
  holder.up_write(m.free)
  await Promise.all(ends)
  expect([...m.memory.subarray(m.free + 65, m.free + 68)]).toEqual([3, 1, 2])
})

test('waiting readers are all let in together, those behind a writer too', async () => {
  const m = await lockMachine()
  const holder = m.cpu(15)
  holder.init_sem(m.free)
  holder.down_write(m.free)
  const [first, second] = [m.free + 80, m.free + 96]
  const ends = [m.start(1, 'read_until', [m.free, first])]
  await m.waits(1)
  ends.push(m.start(2, 'note_write', [m.free, m.free + 64]))
  await m.waits(2)
  ends.push(m.start(3, 'read_until', [m.free, second]))
  await m.waits(3)
  holder.up_write(m.free)
  // Both hold it at once: neither lets go before its word is 0.
  holder.smp_cond_load(first, 0)
  holder.smp_cond_load(second, 0)
  expect(m.memory[m.free + 64]).toBe(0)
  for (const word of [first, second]) {
    holder.WRITE_ONCE(word, 0)
    holder.smp_mb()
    holder.smp_wake(word)
  }
  await Promise.all(ends)
  expect(m.memory[m.free + 65]).toBe(2)
})

test('a reader that comes behind a waiting writer does not keep it out while others read', async () => {
  const m = await lockMachine()
  const readers = [m.cpu(14), m.cpu(15)]
  readers[0].init_sem(m.free)
  for (const reader of readers) reader.down_read(m.free)
  const writer = m.start(1, 'note_write', [m.free, m.free + 64])
  await m.waits(1)
  const word = m.free + 80
  const late = m.start(2, 'read_until', [m.free, word])
  await m.waits(2)
  expect(m.memory[word]).toBe(0)
  for (const reader of readers) reader.up_read(m.free)
  await writer
  readers[0].smp_cond_load(word, 0)
  readers[0].WRITE_ONCE(word, 0)
  readers[0].smp_mb()
  readers[0].smp_wake(word)
  await late
})

test('up_write by a CPU that does not hold it is a BUG', async () => {
  const m = await lockMachine()
  m.kernel.init_sem(m.free)
  expect(() => m.kernel.up_write(m.free)).toThrow('BUG')
})

test('the owner is the writer, then nobody, then whoever of the readers came last', async () => {
  const m = await lockMachine()
  const other = m.cpu(1)
  const owner = (): number => m.memory[m.free + m.symbols.rwsem$owner]
  const named = (cpu: number): number => (cpu + 1) << m.symbols.RWSEM_OWNER_SHIFT
  m.kernel.init_sem(m.free)
  other.down_write(m.free)
  expect(owner()).toBe(named(1))
  other.up_write(m.free)
  expect(owner()).toBe(0)
  other.down_read(m.free)
  m.kernel.down_read_trylock(m.free)
  m.kernel.up_read(m.free)
  expect(owner()).toBe(named(0) | m.symbols.RWSEM_READER_OWNED)
})

test.each([
  ['has waited for long forbids others to pass', 0, true],
  ['has just come does not', 2_000_000_000, false],
])('a waiting writer that %s', async (_, timeout, handoff) => {
  const m = await lockMachine()
  const reader = m.cpu(15)
  m.memory[m.symbols.machine$wait_timeout] = timeout
  reader.init_sem(m.free)
  reader.down_read(m.free)
  const writer = m.start(1, 'note_write', [m.free, m.free + 64])
  await m.waits(1)
  const count = m.memory[m.free + m.symbols.rwsem$count]
  expect((count & m.symbols.RWSEM_FLAG_HANDOFF) !== 0).toBe(handoff)
  reader.up_read(m.free)
  await writer
  expect(m.memory[m.free + m.symbols.rwsem$count]).toBe(0)
})
