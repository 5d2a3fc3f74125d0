/**
 * The count of a reader-writer semaphore (kernel/locking/rwsem.c, 6.1):
 *
 *   bit 0 a writer holds it · bit 1 somebody waits · bit 2 handoff · from bit 8 the number of readers
 *
 * Left out: the bit that counts too many readers.
 */
export const RWSEM_WRITER_LOCKED = 1 << 0
export const RWSEM_FLAG_WAITERS = 1 << 1
export const RWSEM_FLAG_HANDOFF = 1 << 2
export const RWSEM_READER_SHIFT = 8
export const RWSEM_READER_BIAS = 1 << RWSEM_READER_SHIFT
export const RWSEM_READER_MASK = ~(RWSEM_READER_BIAS - 1)
export const RWSEM_LOCK_MASK = RWSEM_WRITER_LOCKED | RWSEM_READER_MASK
export const RWSEM_READ_FAILED_MASK = RWSEM_WRITER_LOCKED | RWSEM_FLAG_WAITERS | RWSEM_FLAG_HANDOFF
