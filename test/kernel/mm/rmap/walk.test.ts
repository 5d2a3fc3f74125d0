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

/** Times that folio_referenced takes the lock of a table for the page of the parent's first entry. */
const locked = (): number => {
  const page = m.page(BASE)
  return acquisitionsOf(m, 'ptlock', () => k.folio_referenced(page))
}

describe('page_vma_mapped_walk', () => {
  it('locks the table of every entry that maps the page', () => {
    expect(locked()).toBe(2)
  })

  it('locks one whose entry maps another page, too: what it maps is compared under the lock', () => {
    k.user_store(BASE, 0, 1)
    const own = m.pte(BASE)
    m.become(child)
    expect(m.pte(BASE)).not.toBe(own)
    // The walk comes by the parent first, and ends with the page's last mapping.
    expect(locked()).toBe(2)
  })

  it('locks none whose entry is of swap', () => {
    const parent = k.current()
    m.become(child)
    k.user_store(BASE, 0, 1)
    m.pageOut(1)
    m.become(parent)
    expect(locked()).toBe(1)
  })
})
