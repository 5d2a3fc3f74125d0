/**
 * The node of a queue lock (kernel/locking/mcs_spinlock.h, 6.1): struct mcs_spinlock, one line of a CPU's own in its
 * per-CPU area. The first two words are written by neighbours in the queue, the others only by the CPU that owns the
 * node.
 */

/** The node behind in the queue; 0: none yet. */
export const mcs_spinlock$next = 0
/** Becomes 1 when the node in front hands over. */
export const mcs_spinlock$locked = 1
/** In node 0: how many nodes of this CPU wait in a queue (qspinlock). */
export const mcs_spinlock$count = 2
/** The lock that this node is used for, while it is held (mcs) or waited for (qspinlock); 0: the node is free. */
export const mcs_spinlock$lock = 3
/** The ticket that this CPU waits for (ticket). */
export const mcs_spinlock$ticket = 4
