// The words that the scenario validation/scenarios/kernel-calls.ts finds at BOOT_DATA and leaves behind them. Constants
// only, so that it links this file as it is.

/** Header: how many calls, and the next one. Then the calls. */
export const calls_header$count = 0
export const calls_header$next = 1
export const CALLS_HEADER_WORDS = 16

export const CALL_WORDS = 8
export const call$process = 0
export const call$kind = 1
export const call$argument = 2

/** What is left behind the calls, for each. */
export const OUTCOME_WORDS = 4
export const outcome$result = 0
export const outcome$fault = 1
export const outcome$signal = 2
export const outcome$value = 3

export const CALL_READ = 0
export const CALL_WRITE = 1
export const CALL_MMAP = 2
export const CALL_MUNMAP = 3
export const CALL_MPROTECT = 4
export const CALL_MREMAP = 5
export const CALL_MADVISE = 6
export const CALL_FORK = 7
export const CALL_EXIT = 8

/** Page that calls count from; a PTE table ends 32 pages above. */
export const CALLS_BASE = 0x100000 - 32
export const NR_OBJECTS = 2
export const OBJECT_PAGES = 24
export const MOST_PROCESSES = 5
