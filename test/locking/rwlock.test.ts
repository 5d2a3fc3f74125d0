import { expect, test } from 'vitest'
import { lockMachine, type LockMachine } from './machine.ts'

async function rwlockMachine(...settings: string[]): Promise<LockMachine> {
  const m = await lockMachine(...settings)
  m.kernel.rwlock_init(m.free, m.symbols.LOCK_CLASS_user_rwsem_R, m.symbols.LOCK_CLASS_user_rwsem_W)
  return m
}

test('writers exclude everybody, readers see what the last writer left', async () => {
  const m = await rwlockMachine()
  await m.run(4, 'hammer_rwlock', [m.free, m.free + 64, 4000])
  expect(m.memory[m.free + 64]).toBe(4 * 1000)
  expect(m.memory[m.free + m.symbols.rwlock$cnts]).toBe(0)
})

test('no wake-up is lost when every wait halts and there are more CPUs than cores', async () => {
  const m = await rwlockMachine()
  m.memory[m.symbols.machine$spin_budget] = 0
  await m.run(8, 'hammer_rwlock', [m.free, m.free + 64, 800])
  expect(m.memory[m.free + 64]).toBe(8 * 200)
  expect(m.memory[m.free + m.symbols.rwlock$cnts]).toBe(0)
})

test('readers share the lock', async () => {
  const m = await rwlockMachine()
  const other = m.cpu(1)
  m.kernel.read_lock(m.free)
  other.read_lock(m.free)
  expect(m.memory[m.free + m.symbols.rwlock$cnts]).toBe(2 * 0x200)
  other.read_unlock(m.free)
  m.kernel.read_unlock(m.free)
  expect(m.memory[m.free + m.symbols.rwlock$cnts]).toBe(0)
})

test('a reader waits as long as a writer holds the lock', async () => {
  const m = await rwlockMachine()
  const holder = m.cpu(15)
  const word = m.free + 96
  holder.write_lock(m.free)
  const reader = m.start(2, 'share_until', [m.free, word])
  await m.waits(2)
  expect(m.memory[word]).toBe(0)
  holder.write_unlock(m.free)
  holder.smp_cond_load(word, 0)
  holder.smp_store_release(word, 0)
  holder.smp_wake(word)
  await reader
})

test('a writer that waits keeps later readers out, and goes first', async () => {
  const m = await rwlockMachine()
  const holder = m.cpu(15)
  const [log, word] = [m.free + 64, m.free + 96]
  holder.read_lock(m.free)
  const writer = m.start(2, 'note_write_lock', [m.free, log])
  await m.waits(2)
  const reader = m.start(3, 'share_until', [m.free, word])
  await m.waits(3)
  expect(m.memory[word]).toBe(0)
  holder.read_unlock(m.free)
  await writer
  holder.smp_cond_load(word, 0)
  holder.smp_store_release(word, 0)
  holder.smp_wake(word)
  await reader
  expect(m.memory[log + 1]).toBe(2)
})

test('its holder sees that somebody waits, and that nobody does', async () => {
  const m = await rwlockMachine()
  const holder = m.cpu(15)
  holder.write_lock(m.free)
  expect(holder.write_is_contended(m.free)).toBe(false)
  const writer = m.start(2, 'note_write_lock', [m.free, m.free + 64])
  await m.waits(2)
  expect(holder.write_is_contended(m.free)).toBe(true)
  holder.write_unlock(m.free)
  await writer
})

test('lock_stat counts readers and writers apart', async () => {
  const m = await rwlockMachine('LOCK_STAT=y')
  m.kernel.read_lock(m.free)
  m.kernel.read_unlock(m.free)
  const { LOCK_CLASS_user_rwsem_R, LOCK_CLASS_user_rwsem_W, STAT_LOCK, LOCK_STAT_ROWS, LOCK_STAT_WORDS } =
    m.symbols
  const acquisitions = (lockClass: number): number =>
    m.stat[STAT_LOCK + LOCK_STAT_ROWS + lockClass * m.symbols.NR_LOCK_SUBCLASSES * LOCK_STAT_WORDS]
  expect([acquisitions(LOCK_CLASS_user_rwsem_R), acquisitions(LOCK_CLASS_user_rwsem_W)]).toEqual([1, 0])
})
