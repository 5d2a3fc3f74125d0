/**
 * Where the data oracle keeps what it knows, outside the machine's memory: windows, records of violations, registers;
 * and what a value says. Leaves out what is done with it: windows.ts and the others.
 */
import { NR_CPUS } from '#config'
import { NR_MMS } from '../arch/limits.ts'

/** Words of the oracle's memory. Untouched ones cost nothing: hosts hand out zero pages on demand. */
export const ORACLE_WORDS = 1 << 22

// Word 0: number of windows; word 1: first word not given to a window. Then the windows, the records, the flags.
export const ORACLE_NR_WINDOWS = 0
export const ORACLE_HEAP = 1
export const ORACLE_MAX_WINDOWS = 4

export const ORACLE_WINDOWS = 16
export const owindow$start = 0
export const owindow$end = 1
export const owindow$words_per_page = 2
export const owindow$shared = 3
/** Registers of the window, and where their tables begin: one table for each of the first `slots` mm_structs. */
export const owindow$registers = 4
export const owindow$tables = 5
export const owindow$slots = 6
/** Where each CPU keeps what it read at the begin of a fork: a word for each register. */
export const owindow$snapshots = 7
export const OWINDOW_WORDS = 16

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
export const ORECORD_WORDS = 16

/** For each window and mm_struct: 1 if its registers are not known (an ancestor's table did not fit). */
export const ORACLE_UNTRACKED = ORACLE_RECORDS + NR_CPUS * ORECORD_WORDS
export const ORACLE_HEAP_START = ORACLE_UNTRACKED + ORACLE_MAX_WINDOWS * NR_MMS

// A register.
export const oreg$issued = 0
export const oreg$completed = 1
/** Highest and lowest number that may have come from the parent at the fork; 0 in an mm that began empty. */
export const oreg$base = 2
export const oreg$lo = 3
/** Number of the last discard: 0 may be read if that is not below what is known to be there. */
export const oreg$zero = 4
export const oreg$writer = 5
/** The mm_struct (index + 1) that wrote what was inherited; 0: more than one may have. */
export const oreg$side = 6
/** The highest number above `completed` that was read, or the inherited one that was; -1: 0 was inherited and read. */
export const oreg$seen = 7
export const OREG_WORDS = 8

/** A discard by another task than the writer: 0 may be read from now on. */
export const ORACLE_ZERO_ALWAYS = 0x7fffffff

export const ORACLE_TAGS = 4095
export const ORACLE_TAG_MASK = 0xfff
export const ORACLE_SIDE_SHIFT = 12
export const ORACLE_SIDE_MASK = 0xff
export const ORACLE_NUMBER_SHIFT = 20
export const ORACLE_NUMBER_MASK = 0xfff
