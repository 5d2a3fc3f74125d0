/**
 * For the benchmark: takes and drops a reference to one page, PAIRS times a turn; the machine stops after each turn.
 * Asserts are on, as always. Not a scenario to run: it leaves its page behind.
 */
import { get_reg, set_reg, store } from 'mmtorture/kernel'
import { machine$stop } from '../../src/kernel/arch/memory_map.ts'
import type { Page } from '../../src/kernel/arch/structs.ts'
import { ENOMEM } from '../../src/kernel/errno.ts'
import { GFP_HIGHUSER_MOVABLE } from '../../src/kernel/mm/gfp.ts'
import { get_page, put_page } from '../../src/kernel/mm/mm.ts'
import { alloc_page } from '../../src/kernel/mm/page_alloc.ts'

/** References taken and dropped in a turn. */
export const PAIRS = 20000

const PAGE = 0

export function setup(): number {
  const page = alloc_page(GFP_HIGHUSER_MOVABLE)
  if (page === 0) return -ENOMEM
  set_reg(PAGE, page)
  return 0
}

export function program(): void {
  const page = get_reg(PAGE) as Page
  for (let i = 0; i < PAIRS; i++) {
    get_page(page)
    put_page(page)
  }
  store(machine$stop, 1)
}
