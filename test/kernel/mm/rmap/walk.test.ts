// src/kernel/mm/rmap/walk.ts on one CPU: when a walk takes the lock of a table.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BASE, type Filled, filled, NO_PROGRAM } from '../../filled.ts'
import { acquisitionsOf } from '../../lock_counts.ts'

let m: Filled
let k: Filled['kernel']
let child: number

beforeEach(async () => {
  m = await filled('LOCK_STAT=y')
  k = m.kernel
  k.sys_swapon(32, 0)
  k.set_page_cluster(0)
  child = m.task(k.sys_fork(NO_PROGRAM) as number)
})

afterEach(() => expect(m.failing()).toEqual([]))

const childMm = (): number => m.memory[child + m.symbols.task$mm]
/**
 * Times that folio_referenced takes the lock of a table for the page that the child has. The parent's entry comes
 * first.
 */
const locked = (): number => {
  const page = m.symbols.MEMMAP + (m.pte(BASE, childMm()) >>> m.symbols.PFN_SHIFT) * m.symbols.PAGE_WORDS
  return acquisitionsOf(m, 'ptlock', () => k.folio_referenced(page, true))
}

describe('page_vma_mapped_walk', () => {
  it('locks the table of every entry that maps the page', () => {
    expect(locked()).toBe(2)
  })

  it('locks one whose entry maps another page, too: what it maps is compared under the lock', () => {
    k.user_store(BASE, 0, 1)
    expect(m.pte(BASE, childMm())).not.toBe(m.pte(BASE))
    expect(locked()).toBe(2)
  })

  it('locks none whose entry is of swap', () => {
    k.user_store(BASE, 0, 1)
    m.pageOut(1)
    expect(m.swapped()).toEqual([0])
    expect(locked()).toBe(1)
  })
})
