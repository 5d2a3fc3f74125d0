import { beforeEach, describe, expect, test } from 'vitest'
import { lockMachine, type LockMachine } from '../locking/machine.ts'

function page(m: LockMachine, pfn: number): number {
  return m.symbols.MEMMAP + pfn * m.symbols.PAGE_WORDS
}

test('the page lock excludes, loses no wake-up, and leaves no flag behind', async () => {
  const m = await lockMachine()
  m.memory[m.symbols.machine$spin_budget] = 0
  m.kernel.init_pages()
  await m.run(6, 'hammer_page', [page(m, 7), 1500])
  expect(m.memory[page(m, 7) + m.symbols.page$private]).toBe(6 * 1500)
  expect(m.memory[page(m, 7) + m.symbols.page$flags]).toBe(0)
})

test('an unlock of one page does not wake those who wait for another in the same queue', async () => {
  const m = await lockMachine()
  m.kernel.init_pages()
  // More pages than queues: some pair shares one.
  const pfns = Array.from({ length: m.symbols.PAGE_WAIT_TABLE_SIZE + 1 }, (_, i) => i + 1)
  for (const pfn of pfns) expect(m.kernel.trylock_page(page(m, pfn))).toBe(true)
  const waiter = m.start(1, 'hammer_page', [page(m, pfns[0]), 1])
  await m.waits(1)
  for (const pfn of pfns.slice(1)) m.kernel.unlock_page(page(m, pfn))
  expect(m.kernel.PageLocked(page(m, pfns[0]))).toBe(true)
  expect(m.memory[page(m, pfns[0]) + m.symbols.page$private]).toBe(0)
  m.kernel.unlock_page(page(m, pfns[0]))
  await waiter
  expect(m.memory[page(m, pfns[0]) + m.symbols.page$flags]).toBe(0)
})

describe('a page that is locked and being written', () => {
  let m: LockMachine
  let written: number

  beforeEach(async () => {
    m = await lockMachine()
    m.kernel.init_pages()
    written = page(m, 7)
    m.memory[written + m.symbols.page$_refcount] = 1
    m.memory[written + m.symbols.page$flags] = m.symbols.PG_locked | m.symbols.PG_writeback
  })

  const flags = (): number => m.memory[written + m.symbols.page$flags]

  test('wakes who waits for the end of writeback then, and not when it is unlocked', async () => {
    const waiter = m.start(1, 'wait_on_page_writeback', [written])
    await m.waits(1)
    m.kernel.unlock_page(written)
    expect(flags()).toBe(m.symbols.PG_writeback | m.symbols.PG_waiters)
    m.kernel.end_page_writeback(written)
    await waiter
    expect(flags()).toBe(0)
  })

  test('wakes who waits for its lock when it is unlocked, and not at the end of writeback', async () => {
    const waiter = m.start(1, 'hammer_page', [written, 1])
    await m.waits(1)
    m.kernel.end_page_writeback(written)
    expect(flags()).toBe(m.symbols.PG_locked | m.symbols.PG_waiters)
    expect(m.memory[written + m.symbols.page$private]).toBe(0)
    m.kernel.unlock_page(written)
    await waiter
    expect(m.memory[written + m.symbols.page$private]).toBe(1)
    expect(flags()).toBe(0)
  })
})

test('the end of a writeback that did not begin is a BUG', async () => {
  const m = await lockMachine()
  m.kernel.init_pages()
  m.memory[page(m, 3) + m.symbols.page$_refcount] = 1
  expect(() => m.kernel.end_page_writeback(page(m, 3))).toThrow('BUG')
})

test('unlocking a page that is not locked is a BUG', async () => {
  const m = await lockMachine()
  m.kernel.init_pages()
  expect(() => m.kernel.unlock_page(page(m, 3))).toThrow('BUG')
})
