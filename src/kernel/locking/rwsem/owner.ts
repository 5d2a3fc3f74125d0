/**
 * The owner of a reader-writer semaphore (kernel/locking/rwsem.c, 6.1): the writer that holds it, or one of the readers
 * that held it last, with two flags. Spinners look at it; a reader's name is a hint. Linux has the task there, here it
 * is CPU + 1.
 */
import { atomic_fetch_and, cmpxchg } from '#atomic'
import { READ_ONCE, smp_processor_id, WRITE_ONCE } from '../../arch/access.ts'
import { rwsem$owner, type Rwsem } from '../../arch/structs.ts'

export const RWSEM_READER_OWNED = 1 << 0
/** Writers do not spin while readers hold it: one has in vain. */
export const RWSEM_NONSPINNABLE = 1 << 1
export const RWSEM_OWNER_FLAGS_MASK = RWSEM_READER_OWNED | RWSEM_NONSPINNABLE
export const RWSEM_OWNER_SHIFT = 2

/** This CPU, as an owner without flags. */
function rwsem_current(): number {
  return (smp_processor_id() + 1) << RWSEM_OWNER_SHIFT
}

/** This CPU holds it for writing. */
export function rwsem_set_owner(sem: Rwsem): void {
  WRITE_ONCE(sem + rwsem$owner, rwsem_current())
}

/** No writer holds it any more. */
export function rwsem_clear_owner(sem: Rwsem): void {
  WRITE_ONCE(sem + rwsem$owner, 0)
}

/** Whether this CPU holds `sem` for writing. */
export function rwsem_is_held_write(sem: Rwsem): boolean {
  return READ_ONCE(sem + rwsem$owner) === rwsem_current()
}

/** The flags of `flags` that are set. */
export function rwsem_test_oflags(sem: Rwsem, flags: number): number {
  return READ_ONCE(sem + rwsem$owner) & flags
}

/** CPU `cpu` holds it for reading. */
export function __rwsem_set_reader_owned(sem: Rwsem, cpu: number): void {
  const owner = ((cpu + 1) << RWSEM_OWNER_SHIFT) | RWSEM_READER_OWNED
  WRITE_ONCE(sem + rwsem$owner, owner | rwsem_test_oflags(sem, RWSEM_NONSPINNABLE))
}

/** This CPU holds it for reading. */
export function rwsem_set_reader_owned(sem: Rwsem): void {
  __rwsem_set_reader_owned(sem, smp_processor_id())
}

/** Forbids to spin, as long as readers own it. */
export function rwsem_set_nonspinnable(sem: Rwsem): void {
  let owner = READ_ONCE(sem + rwsem$owner)
  while ((owner & RWSEM_OWNER_FLAGS_MASK) === RWSEM_READER_OWNED) {
    const seen = cmpxchg(sem + rwsem$owner, owner, owner | RWSEM_NONSPINNABLE)
    if (seen === owner) return
    owner = seen
  }
}

/** Allows it again: no reader is left. */
export function clear_nonspinnable(sem: Rwsem): void {
  if (rwsem_test_oflags(sem, RWSEM_NONSPINNABLE) !== 0)
    atomic_fetch_and(sem + rwsem$owner, ~RWSEM_NONSPINNABLE)
}
