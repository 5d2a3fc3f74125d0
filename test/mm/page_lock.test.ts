import { expect, test } from 'vitest'
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

test('unlocking a page that is not locked is a BUG', async () => {
  const m = await lockMachine()
  m.kernel.init_pages()
  expect(() => m.kernel.unlock_page(page(m, 3))).toThrow('BUG')
})
