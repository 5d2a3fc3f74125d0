/**
 * What scenarios begin with in which all threads go to the same swapped pages: each writes a word of its own in every
 * page. No scenario itself.
 */
import { pages, set_reg } from 'mmtorture/kernel'
import { start_threads, swapped_area } from './swapped_area.ts'

/** Pages, unless the user says otherwise. */
export const PAGES = 8
/** Words of a page, one a thread; further threads have none. */
export const WORDS = 8

// Registers of a task: the area; the word that it writes.
export const BASE = 0
export const WORD = 1

/**
 * Swaps the pages out to a device with room for them several times over, and starts a thread of program `program` for
 * each CPU but the first. Returns 0 or a negative error.
 */
export function share_swapped_area(program: number): number {
  const base = swapped_area(pages(PAGES), WORDS, pages(PAGES) * 4, 0)
  if (base < 0) return base
  set_reg(BASE, base)
  return start_threads(program, WORD)
}
