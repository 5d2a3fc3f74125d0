/**
 * folio_referenced (mm/rmap.c, 6.1): through how many entries a page was used since it was last asked. Left out: file
 * pages and their page lock, VM_LOCKED, VM_SEQ_READ, uses by other memory cgroups, mmu notifiers.
 */
import { atomic_fetch_and } from '#atomic'
import { load } from '../../arch/access.ts'
import { _PAGE_ACCESSED } from '../../arch/pgtable.ts'
import type { Page, Vma } from '../../arch/structs.ts'
import { page$index } from '../../arch/structs.ts'
import { page_mapcount } from '../mm.ts'
import {
  ANON_VMA_CONTENDED,
  anon_vma_first,
  anon_vma_next,
  anon_vma_unlock_read,
  avc_vma,
  folio_lock_anon_vma_read,
  page_vma_mapped_walk,
  page_vma_mapped_walk_done,
  vma_address,
} from './walk.ts'

/**
 * Whether the page was used through the entry of one VMA since it was last asked; makes it old, without a flush. -1:
 * none maps it there.
 */
function folio_referenced_one(page: Page, vma: Vma): number {
  const ptep = page_vma_mapped_walk(page, vma, vma_address(page, vma), 0)
  if (ptep === 0) return -1
  const young = (atomic_fetch_and(ptep, ~_PAGE_ACCESSED) & _PAGE_ACCESSED) !== 0
  page_vma_mapped_walk_done()
  return young ? 1 : 0
}

/**
 * Counts the entries that were accessed and makes them old. No flush: an entry in a TLB counts as one use more, later.
 * Needs not the page's lock, and with `try_lock` does not wait for that of its anon_vma: -1 if somebody changes it, so
 * that nothing can be said.
 */
export function folio_referenced(page: Page, try_lock: boolean): number {
  let mapcount = page_mapcount(page)
  if (mapcount === 0) return 0
  const anon_vma = folio_lock_anon_vma_read(page, try_lock)
  if (anon_vma === ANON_VMA_CONTENDED) return -1
  if (anon_vma === 0) return 0
  const pgoff = load(page + page$index)
  let referenced = 0
  let avc = anon_vma_first(anon_vma, pgoff)
  for (; avc !== 0 && mapcount !== 0; avc = anon_vma_next(avc, pgoff)) {
    const young = folio_referenced_one(page, avc_vma(avc))
    if (young >= 0) mapcount--
    if (young > 0) referenced++
  }
  anon_vma_unlock_read(anon_vma)
  return referenced
}
