// The layout of an encoded trace program: kinds of operations, flags, word offsets, results. Constants only, so that
// kernel code (the scenario that replays a trace) links this file as it is. encode.ts writes this layout; nothing else
// may know it.
//
//   word 0                header (TRACE_HEADER_WORDS words, trace_header$…)
//   header$streams        stream table: nr_streams records of TRACE_STREAM_WORDS words (trace_stream$…)
//   header$files          file table: nr_files records of TRACE_FILE_WORDS words (trace_file$…)
//   header$ops            operations: nr_ops records of TRACE_OP_WORDS words (trace_op$…), stream after stream
//   header$deps           dependency lists: count, then count pairs (stream, operation's index within that stream)
//
// Behind the blob the replay leaves one TRACE_RESULT_… word for each operation, in the order of header$ops.
// All offsets in the blob are word indexes from its start. Page numbers are folded ones (see fold.ts).

export const TRACE_MAGIC = 0x7470726d

export const TRACE_HEADER_WORDS = 16
export const trace_header$magic = 0
export const trace_header$nr_streams = 1
export const trace_header$streams = 2
export const trace_header$nr_files = 3
export const trace_header$files = 4
export const trace_header$nr_ops = 5
export const trace_header$ops = 6
export const trace_header$deps = 7
/** Words of the whole blob. */
export const trace_header$words = 8
/** Address spaces over the whole trace, not only those that live at once. */
export const trace_header$nr_mms = 9
/** Written by the replay: streams that have ended. */
export const trace_header$nr_ended = 10

/** A line each, since the progress of one stream is written often and read by others. */
export const TRACE_STREAM_WORDS = 16
/** Index of the stream's first operation in the array of all operations. */
export const trace_stream$first = 0
export const trace_stream$nr_ops = 1
/** The stream whose TRACE_CLONE… operation starts this one; -1: it starts with the machine. */
export const trace_stream$parent = 2
export const trace_stream$tid = 3
/** Index within the parent's stream of the operation that starts this one. */
export const trace_stream$parent_op = 4
/**
 * Written by the replay: operations that are done; the stream's tasks wait on it and are woken by TRACE_F_WAITED ones.
 */
export const trace_stream$progress = 5

export const TRACE_FILE_WORDS = 4
/** Size in pages. */
export const trace_file$pages = 0
/** 1: shared anonymous memory; 0: a file. */
export const trace_file$shmem = 1
/** Written by the replay: the object's address. */
export const trace_file$object = 2

export const TRACE_OP_WORDS = 8
/** Kind in the low 8 bits, TRACE_F_… flags above. */
export const trace_op$kind = 0
/** First page of the range; for TRACE_BRK the new end, for TRACE_EXEC start_brk, for a clone the child's stream. */
export const trace_op$page = 1
/** Pages in the range; for TRACE_TOUCH the word offset within the page. */
export const trace_op$pages = 2
/**
 * PROT_… bits; TRACE_TOUCH: TRACE_READ, TRACE_WRITE or TRACE_FETCH; TRACE_MADVISE: the advice; TRACE_MREMAP: new length
 * in pages.
 */
export const trace_op$prot = 3
/** TRACE_MMAP: MAP_… bits as in Linux; TRACE_MREMAP: the new first page. */
export const trace_op$flags = 4
/** TRACE_MMAP of a file or of shared memory: index into the file table; else -1. TRACE_MREMAP: MREMAP_… bits. */
export const trace_op$file = 5
export const trace_op$pgoff = 6
/** Word index in the blob of this operation's dependency list; 0: it waits for nobody. */
export const trace_op$deps = 7

export const TRACE_KIND_MASK = 0xff
export const TRACE_TOUCH = 1
/** Always at the address given (as MAP_FIXED): the address is what the recorded call returned. */
export const TRACE_MMAP = 2
export const TRACE_MUNMAP = 3
export const TRACE_MPROTECT = 4
/** The recorded call moved or resized to the address given. */
export const TRACE_MREMAP = 5
export const TRACE_BRK = 6
/** MADV_DONTNEED, MADV_POPULATE_ and what is only a flag of VMAs. */
export const TRACE_MADVISE = 7
/** The child shares the mm. */
export const TRACE_CLONE_THREAD = 8
/** The child gets a copy of the mm. */
export const TRACE_FORK = 9
/** The child shares the mm; what the parent does next depends (by its list) on the child's TRACE_EXEC or TRACE_EXIT. */
export const TRACE_VFORK = 10
/**
 * A new, empty mm; the image's areas follow as implied TRACE_MMAPs. First operation of every stream that no recorded
 * task started.
 */
export const TRACE_EXEC = 11
export const TRACE_EXIT = 12

/** Some other stream waits for this operation: wake those who wait for this stream's progress. */
export const TRACE_F_WAITED = 0x100
/** Not in the recording: the reader inferred it. */
export const TRACE_F_IMPLIED = 0x200
/** The recorded fault found the page present (a protection fault). */
export const TRACE_F_PRESENT = 0x400
/** The touched area's anonymous mmap was recorded. */
export const TRACE_F_ANON = 0x800
/** The recorded fault came from user mode. */
export const TRACE_F_USER = 0x1000
/**
 * No right to this access by the recording itself: it ended in SIGSEGV there too, and in kernel mode in EFAULT of the
 * call.
 */
export const TRACE_F_SEGV = 0x2000
/** It lies behind the end of its shared memory: it ended in SIGBUS (EFAULT) there too. */
export const TRACE_F_SIGBUS = 0x4000

export const TRACE_READ = 0
export const TRACE_WRITE = 1
export const TRACE_FETCH = 2

// What the replay writes, one word an operation, into an array of nr_ops words (index = operation's index in the whole
// program).
export const TRACE_RESULT_NOT_RUN = 0
/** A touch that did not fault. */
export const TRACE_RESULT_NO_FAULT = 1
/** A touch whose first fault found no page. */
export const TRACE_RESULT_ABSENT = 2
/** A touch whose first fault found the page present. */
export const TRACE_RESULT_PRESENT = 3
export const TRACE_RESULT_SEGV = 4
export const TRACE_RESULT_SIGBUS = 5
export const TRACE_RESULT_OOM = 6
/** An operation other than a touch that went well. One that failed leaves its negative errno. */
export const TRACE_RESULT_DONE = 7
