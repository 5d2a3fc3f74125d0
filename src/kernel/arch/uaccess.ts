/**
 * A user program's loads and stores: through the TLB, faulting as often as it takes. One poll point for interrupts,
 * then translation and access as one step. (On x86 this is the MMU; there is no Linux file for it.)
 */
import { STEPPED } from '#config'
import { this_cpu_read, this_cpu_write, user_word_load, user_word_store } from './access.ts'
import { BUG_USER_WORD } from './bug.ts'
import { exc_page_fault } from './fault.ts'
import { poll_irq } from './irq.ts'
import { machine_bug } from './machine.ts'
import { CONTENT, CONTENT_WORDS } from './memory_map.ts'
import {
  percpu$instruction,
  percpu$last_fault,
  percpu$loaded_mm,
  percpu$signal,
  percpu$walked_pte,
} from './percpu.ts'
import { _PAGE_DIRTY, _PAGE_RW, pte_pfn } from './pgtable.ts'
import type { Mm, Pte } from './structs.ts'
import { flush_tlb_one, tlb_lookup, tlb_walk } from './tlb.ts'
import { begin_operation } from '../sched/core.ts'

/** Word address of word `word`, of those that a page keeps, of the page that `pte` maps. */
function user_word(pte: Pte, word: number): number {
  if (word >>> 0 >= CONTENT_WORDS) machine_bug(BUG_USER_WORD, word, CONTENT_WORDS)
  return CONTENT + pte_pfn(pte) * CONTENT_WORDS + word
}

/** Word address of the first word of contents of page frame `pfn`. */
export function page_address(pfn: number): number {
  return CONTENT + pfn * CONTENT_WORDS
}

/** Translates page `addr`, faulting if need be. Returns 0 after a signal, which is then in percpu$signal. */
function translate(addr: number, write: boolean): Pte {
  this_cpu_write(percpu$signal, 0)
  this_cpu_write(percpu$last_fault, 0)
  begin_operation()
  for (;;) {
    poll_irq()
    if (STEPPED) this_cpu_write(percpu$instruction, 1)
    const cached = tlb_lookup(addr)
    if (cached !== 0 && !write) return cached
    if ((cached & (_PAGE_RW | _PAGE_DIRTY)) === (_PAGE_RW | _PAGE_DIRTY)) return cached
    const denied = cached !== 0 && (cached & _PAGE_RW) === 0
    // An entry without the right faults as it is, even if the page table has more by now: a spurious fault.
    if (denied) this_cpu_write(percpu$walked_pte, cached)
    const pte = denied ? (0 as Pte) : tlb_walk(this_cpu_read(percpu$loaded_mm) as Mm, addr, write)
    if (pte !== 0) return pte
    if (denied) flush_tlb_one(addr)
    if (STEPPED) this_cpu_write(percpu$instruction, 0)
    const signal = exc_page_fault(addr, write)
    if (signal !== 0) {
      this_cpu_write(percpu$signal, signal)
      return 0 as Pte
    }
  }
}

/** Loads word `word` of page `addr`; 0 if that raised a signal (user_signal). */
export function user_load(addr: number, word: number): number {
  const pte = translate(addr, false)
  if (pte === 0) return 0
  const value = user_word_load(user_word(pte, word))
  if (STEPPED) this_cpu_write(percpu$instruction, 0)
  return value
}

/** Stores `value` to word `word` of page `addr`. Returns 0, or the signal that it raised. */
export function user_store(addr: number, word: number, value: number): number {
  const pte = translate(addr, true)
  if (pte === 0) return this_cpu_read(percpu$signal)
  user_word_store(user_word(pte, word), value)
  if (STEPPED) this_cpu_write(percpu$instruction, 0)
  return 0
}

/** The signal that the last user access raised; 0: none. */
export function user_signal(): number {
  return this_cpu_read(percpu$signal)
}

/** How the first fault of the last user access found the entry: FAULT_ABSENT or FAULT_PRESENT; 0: it did not fault. */
export function user_fault(): number {
  return this_cpu_read(percpu$last_fault)
}
