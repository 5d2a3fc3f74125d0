/**
 * folio_referenced (mm/rmap.c, 6.1): through how many entries a page was used since it was last asked. Left out: file pages, VM_LOCKED,
 * VM_SEQ_READ, memory cgroups.
 */
import { atomic_fetch_and } from '#atomic'
import { load } from '../../arch/access.ts'
import { _PAGE_ACCESSED } from '../../arch/pgtable.ts'
import type { Page } from '../../arch/structs.ts'
import { page$index } from '../../arch/structs.ts'
import {
  anon_vma_first,
  anon_vma_next,
  anon_vma_unlock_read,
  avc_vma,
  folio_lock_anon_vma_read,
  page_vma_mapped_walk,
  page_vma_mapped_walk_done,
  vma_address,
} from './walk.ts'

/** Counts the entries that were accessed and makes them old. No flush: an entry in a TLB counts as one use more, later. */
export function folio_referenced(page: Page): number {
  const anon_vma = folio_lock_anon_vma_read(page)
  if (anon_vma === 0) return 0
  const pgoff = load(page + page$index)
  let referenced = 0
  for (let avc = anon_vma_first(anon_vma, pgoff); avc !== 0; avc = anon_vma_next(avc, pgoff)) {
    const vma = avc_vma(avc)
    const ptep = page_vma_mapped_walk(page, vma, vma_address(page, vma), 0)
    if (ptep === 0) continue
    if ((atomic_fetch_and(ptep, ~_PAGE_ACCESSED) & _PAGE_ACCESSED) !== 0) referenced++
    page_vma_mapped_walk_done()
  }
  anon_vma_unlock_read(anon_vma)
  return referenced
}
