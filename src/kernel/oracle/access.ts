/**
 * The data oracle: does every user load return what the program's stores allow? Kernel code, linked into the
 * image; its state lies in `oracle`, outside the machine's memory, so that watching adds no access to the machine.
 *
 * A scenario declares windows of pages (oracle_window) and goes through oracle_store and oracle_load there. Each word
 * of a window is a register of an mm (of all mms together where the window is shared memory) with one writer task at a
 * time:
 *
 *   the writer     issued = n; store; completed = n
 *   a reader       c = completed; load; i = issued             c <= number read <= i, never less than was seen before
 *   a discard      is a store of 0 with a number of its own (oracle_discard before, oracle_discarded after the call)
 *   fork's child   starts with one number between the parent's completed at the begin and its issued at the end, always
 *                  the same one; from there on its own numbers only, the parent likewise
 *
 * A value says whose it is:   31      20 19      12 11       0
 *                            │ number   │ writing mm │ word + 1 │      0: never written, or discarded
 *
 * so that another word's, page's or process's value is recognised. Numbers count in 32 bits and are stored modulo
 * 4,096. Left out: two tasks that write one word at the same time (the scenario's duty), words of private file
 * mappings.
 *
 * This file: the stores and loads. windows.ts: which words; explain.ts: which values; discard.ts and fork.ts: what they
 * change.
 */
import { this_cpu_read } from '../arch/access.ts'
import { oracle } from '../arch/machine.ts'
import { percpu$current } from '../arch/percpu.ts'
import { user_load, user_signal, user_store } from '../arch/uaccess.ts'
import { dio_read } from '../mm/gup.ts'
import { ORACLE_CHECKS, count_vm_event } from '../mm/vmstat.ts'
import { oracle_mb } from './barrier.ts'
import { oracle_changed, oracle_explain } from './explain.ts'
import {
  ORACLE_NUMBER_SHIFT,
  ORACLE_SIDE_MASK,
  ORACLE_SIDE_SHIFT,
  ORACLE_TAGS,
  OREG_WORDS,
  oreg$base,
  oreg$completed,
  oreg$issued,
  oreg$lo,
  oreg$seen,
  oreg$writer,
} from './layout.ts'
import { oracle_violation } from './violation.ts'
import { oracle_index, oracle_register, oracle_side, oracle_table, oracle_window_of } from './windows.ts'

/**
 * Stores the next value to word `word` of page `addr`, whose only writer the running task is.
 * Returns 0, or the signal that it raised: then nothing was stored.
 */
export function oracle_store(addr: number, word: number): number {
  return oracle_store_as(addr, addr, word)
}

/** The same where page `page` of a window has been moved to `addr` (mremap). */
export function oracle_store_as(page: number, addr: number, word: number): number {
  const w = oracle_window_of(page)
  const r = oracle_register(w, page, word)
  const number = oracle_issue(r)
  const signal = user_store(addr, word, oracle_value(w, page, word, number))
  oracle_complete(r, number, signal)
  return signal
}

/** The same for a word that a direct read brings (dio_read). Returns 0 or a negative error: then nothing was stored. */
export function oracle_dio_read(addr: number, word: number): number {
  const w = oracle_window_of(addr)
  const r = oracle_register(w, addr, word)
  const number = oracle_issue(r)
  const error = dio_read(addr, word, oracle_value(w, addr, word, number))
  oracle_complete(r, number, error)
  return error
}

/** Takes the next number of a register; 0 where there is none. */
function oracle_issue(r: number): number {
  if (r === 0) return 0
  const number = oracle[r + oreg$issued] + 1
  oracle[r + oreg$writer] = this_cpu_read(percpu$current)
  oracle[r + oreg$issued] = number
  oracle_mb()
  return number
}

/** What to store: who writes, and the number. */
function oracle_value(w: number, page: number, word: number, number: number): number {
  if (w === 0) return 1
  const side = (oracle_side(w) & ORACLE_SIDE_MASK) << ORACLE_SIDE_SHIFT
  return (number << ORACLE_NUMBER_SHIFT) | side | (1 + (oracle_index(w, page, word) % ORACLE_TAGS))
}

/** The store is done; or, with a signal or an error, it was not made and gives its number back. */
function oracle_complete(r: number, number: number, error: number): void {
  if (r === 0) return
  oracle_mb()
  if (error === 0) oracle[r + oreg$completed] = number
  else oracle[r + oreg$issued] = number - 1
}

/**
 * Loads word `word` of page `addr` and checks the value against what was stored; a value that cannot be explained is a
 * BUG. Returns the value; 0 also if the load raised a signal (user_signal).
 */
export function oracle_load(addr: number, word: number): number {
  return oracle_load_as(addr, addr, word)
}

/** The same where page `page` of a window has been moved to `addr` (mremap). */
export function oracle_load_as(page: number, addr: number, word: number): number {
  const w = oracle_window_of(page)
  if (w === 0) return user_load(addr, word)
  const register = oracle_index(w, page, word)
  const side = oracle_side(w)
  const table = oracle_table(w, side)
  if (table === 0) return user_load(addr, word)
  const r = table + register * OREG_WORDS
  const completed = oracle[r + oreg$completed]
  const seen = oracle[r + oreg$seen]
  const base = oracle[r + oreg$base]
  oracle_mb()
  const value = user_load(addr, word)
  oracle_mb()
  if (user_signal() !== 0) return 0
  const issued = oracle[r + oreg$issued]
  count_vm_event(ORACLE_CHECKS)
  // For the writer itself both ends are its last number: nobody else raises them.
  const lower = Math.max(seen, completed > base ? completed : oracle[r + oreg$lo])
  const number = oracle_explain(r, value, 1 + (register % ORACLE_TAGS), side, lower, issued)
  if (number < 0 || (seen !== 0 && completed <= base && oracle_changed(r, value, number, seen)))
    oracle_violation(w, r, page, addr, word, value, lower, issued)
  if (number > seen && (number > completed || (number <= base && completed <= base)))
    oracle[r + oreg$seen] = number
  else if (value === 0 && seen === 0 && base !== 0 && issued === base) oracle[r + oreg$seen] = -1
  return value
}
