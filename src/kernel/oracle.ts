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
 */
import { NR_CPUS, PAGE_BYTES, WEAK_MEMORY } from '#config'
import { load, smp_processor_id, this_cpu_read } from './arch/access.ts'
import { smp_mb } from './arch/barrier.ts'
import { BUG_ORACLE } from './arch/bug.ts'
import { NR_MMS } from './arch/limits.ts'
import { machine_bug, oracle } from './arch/machine.ts'
import { MMS } from './arch/memory_map.ts'
import { percpu$current, percpu$loaded_mm } from './arch/percpu.ts'
import type { Mm } from './arch/structs.ts'
import { MM_WORDS, mm$id, task$pid } from './arch/structs.ts'
import { user_load, user_signal, user_store } from './arch/uaccess.ts'
import { dio_read } from './mm/gup.ts'
import { EINVAL, ENOMEM } from './errno.ts'
import { count_vm_event, ORACLE_CHECKS } from './mm/vmstat.ts'

/** Words of the oracle's memory. Untouched ones cost nothing: hosts hand out zero pages on demand. */
export const ORACLE_WORDS = 1 << 22

// Word 0: number of windows; word 1: first word not given to a window. Then the windows, the records, the flags.
const ORACLE_NR_WINDOWS = 0
const ORACLE_HEAP = 1
export const ORACLE_MAX_WINDOWS = 4

const ORACLE_WINDOWS = 16
const owindow$start = 0
const owindow$end = 1
const owindow$words_per_page = 2
const owindow$shared = 3
/** Registers of the window, and where their tables begin: one table for each of the first `slots` mm_structs. */
const owindow$registers = 4
const owindow$tables = 5
const owindow$slots = 6
/** Where each CPU keeps what it read at the begin of a fork: a word for each register. */
const owindow$snapshots = 7
const OWINDOW_WORDS = 16

/** What a violation leaves behind, one record a CPU; machine_bug(BUG_ORACLE) carries its index. */
export const ORACLE_RECORDS = ORACLE_WINDOWS + ORACLE_MAX_WINDOWS * OWINDOW_WORDS
export const orecord$mm_id = 0
export const orecord$page = 1
export const orecord$word = 2
export const orecord$value = 3
/** Lowest and highest number that would have been right. */
export const orecord$lower = 4
export const orecord$upper = 5
/** Numbers up to this one come from before the fork that made the mm. */
export const orecord$base = 6
/** Number of the last discard; 0: the word's first state. */
export const orecord$zero = 7
export const orecord$pid = 8
/** Process that wrote the word last; 0: nobody in this mm. */
export const orecord$writer_pid = 9
/** Index of the word in its window, and of the mm among all mm_structs (0 in shared windows), as values carry them. */
export const orecord$register = 10
export const orecord$side = 11
/** The mm whose numbers were inherited, + 1; 0: not known. */
export const orecord$inherited_side = 12
export const orecord$cpu = 13
export const orecord$addr = 14
export const orecord$seen = 15
const ORECORD_WORDS = 16

/** For each window and mm_struct: 1 if its registers are not known (an ancestor's table did not fit). */
const ORACLE_UNTRACKED = ORACLE_RECORDS + NR_CPUS * ORECORD_WORDS
const ORACLE_HEAP_START = ORACLE_UNTRACKED + ORACLE_MAX_WINDOWS * NR_MMS

// A register.
const oreg$issued = 0
const oreg$completed = 1
/** Highest and lowest number that may have come from the parent at the fork; 0 in an mm that began empty. */
const oreg$base = 2
const oreg$lo = 3
/** Number of the last discard: 0 may be read if that is not below what is known to be there. */
const oreg$zero = 4
const oreg$writer = 5
/** The mm_struct (index + 1) that wrote what was inherited; 0: more than one may have. */
const oreg$side = 6
/** The highest number above `completed` that was read, or the inherited one that was; -1: 0 was inherited and read. */
const oreg$seen = 7
const OREG_WORDS = 8

/** A discard by another task than the writer: 0 may be read from now on. */
const ORACLE_ZERO_ALWAYS = 0x7fffffff

export const ORACLE_TAGS = 4095
export const ORACLE_TAG_MASK = 0xfff
export const ORACLE_SIDE_SHIFT = 12
export const ORACLE_SIDE_MASK = 0xff
export const ORACLE_NUMBER_SHIFT = 20
export const ORACLE_NUMBER_MASK = 0xfff

/**
 * Declares a window: pages [base_page, base_page + nr_pages) with words 0 to words_per_page - 1 of each. `shared` 1:
 * the pages are a shared mapping at the same place in every mm. Once, in a scenario's setup, before any task runs.
 * Returns 0, -EINVAL (no pages, more words than a page keeps, too many windows) or -ENOMEM (too many words).
 */
export function oracle_window(
  base_page: number,
  nr_pages: number,
  words_per_page: number,
  shared: number,
): number {
  const nr = oracle[ORACLE_NR_WINDOWS]
  if (nr_pages <= 0 || words_per_page <= 0 || words_per_page > PAGE_BYTES >> 2 || nr === ORACLE_MAX_WINDOWS)
    return -EINVAL
  const registers = nr_pages * words_per_page
  const heap = nr === 0 ? ORACLE_HEAP_START : oracle[ORACLE_HEAP]
  const tables = heap + (shared === 0 ? NR_CPUS * registers : 0)
  // A later window must find room too: each takes at most half of what is left.
  const room = shared === 0 ? (ORACLE_WORDS - tables) >> 1 : ORACLE_WORDS - tables
  const slots = Math.min(shared === 0 ? NR_MMS : 1, Math.floor(room / (registers * OREG_WORDS)))
  if (slots < 1) return -ENOMEM
  const w = ORACLE_WINDOWS + nr * OWINDOW_WORDS
  oracle[w + owindow$start] = base_page
  oracle[w + owindow$end] = base_page + nr_pages
  oracle[w + owindow$words_per_page] = words_per_page
  oracle[w + owindow$shared] = shared
  oracle[w + owindow$registers] = registers
  oracle[w + owindow$snapshots] = heap
  oracle[w + owindow$tables] = tables
  oracle[w + owindow$slots] = slots
  oracle[ORACLE_HEAP] = tables + slots * registers * OREG_WORDS
  oracle[ORACLE_NR_WINDOWS] = nr + 1
  return 0
}

/** The window that page `page` lies in, or 0. */
function oracle_window_of(page: number): number {
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS)
    if (page >= oracle[w + owindow$start] && page < oracle[w + owindow$end]) return w
  return 0
}

function oracle_mm_index(mm: Mm): number {
  return ((mm - MMS) / MM_WORDS) | 0
}

function oracle_untracked(w: number, index: number): number {
  return ORACLE_UNTRACKED + ((w - ORACLE_WINDOWS) / OWINDOW_WORDS) * NR_MMS + index
}

/** First register of the mm_struct with that index, or 0 where there is none. */
function oracle_table(w: number, index: number): number {
  if (index >= oracle[w + owindow$slots] || oracle[oracle_untracked(w, index)] !== 0) return 0
  return oracle[w + owindow$tables] + index * oracle[w + owindow$registers] * OREG_WORDS
}

/** Which mm's registers an access of this CPU concerns: an index of mm_structs. */
function oracle_side(w: number): number {
  if (oracle[w + owindow$shared] !== 0) return 0
  return oracle_mm_index(this_cpu_read(percpu$loaded_mm) as Mm)
}

/** Weakly ordered hosts need what x86 gives: loads and stores in program order. */
function oracle_mb(): void {
  if (WEAK_MEMORY) smp_mb()
}

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

/** Which of a window's registers a word has. */
function oracle_index(w: number, page: number, word: number): number {
  return (page - oracle[w + owindow$start]) * oracle[w + owindow$words_per_page] + word
}

/** The register of a word in the mm that an access concerns; 0: nothing follows the word. */
function oracle_register(w: number, page: number, word: number): number {
  if (w === 0) return 0
  const table = oracle_table(w, oracle_side(w))
  return table === 0 ? 0 : table + oracle_index(w, page, word) * OREG_WORDS
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

/** Whether an inherited value is not the one that was read before: what fork copied stays as it is. */
function oracle_changed(r: number, value: number, number: number, seen: number): boolean {
  const base = oracle[r + oreg$base]
  if (value === 0) return seen > 0 && oracle[r + oreg$zero] <= base
  return number <= base && number !== seen
}

/**
 * The number that `value` stands for, if it is one from `lower` to `upper` that the register can hold; else -1.
 * Numbers above the register's base are this mm's own, those up to it were inherited.
 */
function oracle_explain(
  r: number,
  value: number,
  tag: number,
  side: number,
  lower: number,
  upper: number,
): number {
  if (value === 0) return oracle[r + oreg$zero] >= lower ? 0 : -1
  if ((value & ORACLE_TAG_MASK) !== tag) return -1
  const value_side = (value >>> ORACLE_SIDE_SHIFT) & ORACLE_SIDE_MASK
  const number = value >>> ORACLE_NUMBER_SHIFT
  const base = oracle[r + oreg$base]
  if (value_side === (side & ORACLE_SIDE_MASK)) {
    const from = Math.max(lower, base + 1)
    const own = from + ((number - from) & ORACLE_NUMBER_MASK)
    if (own <= upper) return own
  }
  const inherited_side = oracle[r + oreg$side]
  if (inherited_side !== 0 && inherited_side !== value_side + 1) return -1
  const from = Math.max(lower, 1)
  const inherited = from + ((number - from) & ORACLE_NUMBER_MASK)
  return inherited <= base ? inherited : -1
}

function oracle_violation(
  w: number,
  r: number,
  page: number,
  addr: number,
  word: number,
  value: number,
  lower: number,
  upper: number,
): void {
  const cpu = smp_processor_id()
  const record = ORACLE_RECORDS + cpu * ORECORD_WORDS
  const writer = oracle[r + oreg$writer]
  oracle[record + orecord$mm_id] = load(this_cpu_read(percpu$loaded_mm) + mm$id)
  oracle[record + orecord$page] = page
  oracle[record + orecord$word] = word
  oracle[record + orecord$value] = value
  oracle[record + orecord$lower] = lower
  oracle[record + orecord$upper] = upper
  oracle[record + orecord$base] = oracle[r + oreg$base]
  oracle[record + orecord$zero] = oracle[r + oreg$zero]
  oracle[record + orecord$pid] = load(this_cpu_read(percpu$current) + task$pid)
  oracle[record + orecord$writer_pid] = writer === 0 ? 0 : load(writer + task$pid)
  oracle[record + orecord$register] = oracle_index(w, page, word)
  oracle[record + orecord$side] = oracle_side(w)
  oracle[record + orecord$inherited_side] = oracle[r + oreg$side]
  oracle[record + orecord$cpu] = cpu
  oracle[record + orecord$addr] = addr
  oracle[record + orecord$seen] = oracle[r + oreg$seen]
  machine_bug(BUG_ORACLE, record, 0)
}

/**
 * The running task knows that `pages` pages from page `addr` on will be discarded by another task before it goes on
 * there: as oracle_discard(), for the words that it writes itself. Every writer calls it, then one of them discards,
 * then every writer calls oracle_discarded().
 */
export function oracle_discard_own(addr: number, pages: number): void {
  const task = this_cpu_read(percpu$current)
  for (let page = addr; page < addr + pages; page++) {
    const w = oracle_window_of(page)
    const table = w === 0 ? 0 : oracle_table(w, oracle_side(w))
    if (table === 0) continue
    const words = oracle[w + owindow$words_per_page]
    const first = table + (page - oracle[w + owindow$start]) * words * OREG_WORDS
    for (let r = first; r < first + words * OREG_WORDS; r += OREG_WORDS) {
      if (oracle[r + oreg$writer] !== task) continue
      const number = oracle[r + oreg$issued] + 1
      oracle[r + oreg$issued] = number
      if (oracle[r + oreg$zero] !== ORACLE_ZERO_ALWAYS) oracle[r + oreg$zero] = number
    }
  }
  oracle_mb()
}

/**
 * The running task is about to discard `pages` pages from page `addr` on (MADV_DONTNEED, munmap): from now on 0 may be
 * read there. Where another task writes, 0 stays allowed. oracle_discarded() follows if the call succeeded.
 */
export function oracle_discard(addr: number, pages: number): void {
  const task = this_cpu_read(percpu$current)
  for (let page = addr; page < addr + pages; page++) {
    const w = oracle_window_of(page)
    const table = w === 0 ? 0 : oracle_table(w, oracle_side(w))
    if (table === 0) continue
    const words = oracle[w + owindow$words_per_page]
    const first = table + (page - oracle[w + owindow$start]) * words * OREG_WORDS
    for (let r = first; r < first + words * OREG_WORDS; r += OREG_WORDS) {
      const writer = oracle[r + oreg$writer]
      if (writer !== 0 && writer !== task) oracle[r + oreg$zero] = ORACLE_ZERO_ALWAYS
      else {
        const number = oracle[r + oreg$issued] + 1
        oracle[r + oreg$writer] = task
        oracle[r + oreg$issued] = number
        if (oracle[r + oreg$zero] !== ORACLE_ZERO_ALWAYS) oracle[r + oreg$zero] = number
      }
    }
  }
  oracle_mb()
}

/** The pages of oracle_discard() are gone: where the running task writes, 0 must now be read. */
export function oracle_discarded(addr: number, pages: number): void {
  oracle_mb()
  const task = this_cpu_read(percpu$current)
  for (let page = addr; page < addr + pages; page++) {
    const w = oracle_window_of(page)
    const table = w === 0 ? 0 : oracle_table(w, oracle_side(w))
    if (table === 0) continue
    const words = oracle[w + owindow$words_per_page]
    const first = table + (page - oracle[w + owindow$start]) * words * OREG_WORDS
    for (let r = first; r < first + words * OREG_WORDS; r += OREG_WORDS)
      if (oracle[r + oreg$writer] === task) oracle[r + oreg$completed] = oracle[r + oreg$issued]
  }
}

/** Fork begins to copy `oldmm`: before the first page table entry is read. */
export function oracle_dup_mm_begin(oldmm: Mm): void {
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS)
    if (oracle[w + owindow$shared] === 0) oracle_snapshot(w, oldmm)
  oracle_mb()
}

/** Notes, for each register, the least number that a copy made from now on can hold; ~number if it may be inherited. */
function oracle_snapshot(w: number, oldmm: Mm): void {
  const table = oracle_table(w, oracle_mm_index(oldmm))
  if (table === 0) return
  const registers = oracle[w + owindow$registers]
  const snapshot = oracle[w + owindow$snapshots] + smp_processor_id() * registers
  for (let i = 0; i < registers; i++) {
    const r = table + i * OREG_WORDS
    const completed = oracle[r + oreg$completed]
    const seen = oracle[r + oreg$seen]
    const own = completed > oracle[r + oreg$base]
    const lower = Math.max(seen, own ? completed : oracle[r + oreg$lo])
    oracle[snapshot + i] = own ? lower : ~lower
  }
}

/** Fork has copied `oldmm` to `mm`: after the flush of oldmm's translations, before anybody runs in `mm`. Same CPU. */
export function oracle_dup_mm_end(oldmm: Mm, mm: Mm): void {
  oracle_mb()
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS)
    if (oracle[w + owindow$shared] === 0) oracle_inherit(w, oldmm, mm)
}

function oracle_inherit(w: number, oldmm: Mm, mm: Mm): void {
  const old_index = oracle_mm_index(oldmm)
  const old_table = oracle_table(w, old_index)
  const table = oracle_table(w, oracle_mm_index(mm))
  if (old_table === 0) oracle[oracle_untracked(w, oracle_mm_index(mm))] = 1
  if (old_table === 0 || table === 0) return
  const registers = oracle[w + owindow$registers]
  const snapshot = oracle[w + owindow$snapshots] + smp_processor_id() * registers
  for (let i = 0; i < registers; i++) {
    const from = old_table + i * OREG_WORDS
    const r = table + i * OREG_WORDS
    const lower = oracle[snapshot + i]
    const issued = oracle[from + oreg$issued]
    // Both sides' numbers go on from here; the values carry who wrote them.
    oracle[r + oreg$issued] = issued
    oracle[r + oreg$completed] = issued
    oracle[r + oreg$base] = issued
    oracle[r + oreg$lo] = lower < 0 ? ~lower : lower
    oracle[r + oreg$zero] = oracle[from + oreg$zero]
    oracle[r + oreg$writer] = 0
    oracle[r + oreg$side] =
      lower >= 0
        ? (old_index & ORACLE_SIDE_MASK) + 1
        : issued === oracle[from + oreg$base]
          ? oracle[from + oreg$side]
          : 0
    oracle[r + oreg$seen] = 0
  }
}

/** `mm` is gone: what takes its place begins empty. */
export function oracle_mmdrop(mm: Mm): void {
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  const index = oracle_mm_index(mm)
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS) {
    if (oracle[w + owindow$shared] !== 0) continue
    oracle[oracle_untracked(w, index)] = 0
    const table = oracle_table(w, index)
    const words = table === 0 ? 0 : oracle[w + owindow$registers] * OREG_WORDS
    for (let i = 0; i < words; i++) oracle[table + i] = 0
  }
}
