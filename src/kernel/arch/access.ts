/**
 * Plain and marked accesses to the machine's memory (include/asm-generic/rwonce.h, 6.1).
 * x86-64 needs nothing more than one move for READ_ONCE and WRITE_ONCE; WEAK_MEMORY hosts get atomic ones.
 * `this_cpu_*` reach words that no other CPU touches while the machine runs: they are never steps.
 */
import { WEAK_MEMORY } from '#config'
import { atomic_load, atomic_store } from '#atomic'
import { memory, this_cpu } from './machine.ts'
import { PERCPU, PERCPU_WORDS } from './percpu.ts'

/** Plain load of the word at `p`. */
export function load(p: number): number {
  return memory[p]
}

/** Plain store to the word at `p`. */
export function store(p: number, value: number): void {
  memory[p] = value
}

export function READ_ONCE(p: number): number {
  return WEAK_MEMORY ? atomic_load(p) : memory[p]
}

export function WRITE_ONCE(p: number, value: number): void {
  if (WEAK_MEMORY) atomic_store(p, value)
  else memory[p] = value
}

/** A load whose race is known and harmless (include/linux/compiler.h, data_race). */
export function data_race(p: number): number {
  return memory[p]
}

/** A user program's load of a word of page contents: not an access of the kernel. */
export function user_word_load(p: number): number {
  return memory[p]
}

/** A user program's store of a word of page contents: not an access of the kernel. */
export function user_word_store(p: number, value: number): void {
  memory[p] = value
}

export function smp_processor_id(): number {
  return this_cpu
}

/** Word address of the field `offset` (a percpu$ constant) of CPU `cpu`. */
export function per_cpu_ptr(offset: number, cpu: number): number {
  return PERCPU + cpu * PERCPU_WORDS + offset
}

export function this_cpu_ptr(offset: number): number {
  return PERCPU + this_cpu * PERCPU_WORDS + offset
}

export function this_cpu_read(offset: number): number {
  return memory[PERCPU + this_cpu * PERCPU_WORDS + offset]
}

export function this_cpu_write(offset: number, value: number): void {
  memory[PERCPU + this_cpu * PERCPU_WORDS + offset] = value
}

export function this_cpu_add(offset: number, value: number): void {
  memory[PERCPU + this_cpu * PERCPU_WORDS + offset] += value
}

/** Load of a word that only the running task touches, such as its registers: never a step. */
export function private_load(p: number): number {
  return memory[p]
}

/** Store to a word that only the running task touches: never a step. */
export function private_store(p: number, value: number): void {
  memory[p] = value
}

/** Ranges of at most this many words go word by word: a call of fill or copyWithin costs as much as some 60 stores. */
const SHORT_RANGE = 64

/** Zeroes `n` words from `p` on (clear_page). */
export function clear_words(p: number, n: number): void {
  fill_words(p, n, 0)
}

/** Stores `value` to `n` words from `p` on (memset). */
export function fill_words(p: number, n: number, value: number): void {
  if (n > SHORT_RANGE) {
    memory.fill(value, p, p + n)
    return
  }
  let at = p
  const end = p + n
  for (; at + 4 <= end; at += 4) {
    memory[at] = value
    memory[at + 1] = value
    memory[at + 2] = value
    memory[at + 3] = value
  }
  for (; at < end; at++) memory[at] = value
}

/** Copies `n` words (copy_page); the ranges may overlap. */
export function copy_words(to: number, from: number, n: number): void {
  if (n > SHORT_RANGE || (to > from && to < from + n)) memory.copyWithin(to, from, from + n)
  else for (let i = 0; i < n; i++) memory[to + i] = memory[from + i]
}
