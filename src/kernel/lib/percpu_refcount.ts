/**
 * A count of references with one part on each CPU (lib/percpu-refcount.c, include/linux/percpu-refcount.h, 6.1): taking
 * and dropping one writes this CPU's part alone, until the reference is killed. From then on nobody gets one, and those
 * that are left are dropped from one word.
 *
 * `ref` is that word: 0 while the reference is live; then PERCPU_REF_DEAD and the count, with PERCPU_COUNT_BIAS until
 * the parts have been added. `part` is the offset of each CPU's part in its area. Who found the reference live writes
 * its part within the same RCU section, so that after a grace period the parts change no more.
 *
 * Left out: a live reference in one word, references of the one who made it, callbacks: whoever kills it waits for the
 * rest.
 */
import { atomic_fetch_add, atomic_fetch_or, atomic_load } from '#atomic'
import { load, per_cpu_ptr, READ_ONCE, this_cpu_ptr, WRITE_ONCE } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { machine$nr_cpus } from '../arch/memory_map.ts'
import { PERCPU_REF_DEAD } from '../arch/structs.ts'
import { smp_cond_load, smp_wake } from '../arch/wait.ts'
import { rcu_read_lock, rcu_read_unlock } from '../rcu.ts'

const PERCPU_COUNT_BIAS = 1 << 20
const COUNT_MASK = PERCPU_REF_DEAD - 1

function __ref_is_percpu(ref: number): boolean {
  return (READ_ONCE(ref) & PERCPU_REF_DEAD) === 0
}

/** Adds `n` to this CPU's part (this_cpu_add: no other CPU writes it). */
function add_part(part: number, n: number): void {
  const p = this_cpu_ptr(part)
  WRITE_ONCE(p, READ_ONCE(p) + n)
}

/** Takes a reference; false: it has been killed. */
export function percpu_ref_tryget_live(ref: number, part: number): boolean {
  rcu_read_lock()
  const live = __ref_is_percpu(ref)
  if (live) add_part(part, 1)
  rcu_read_unlock()
  return live
}

/** Drops a reference, on whatever CPU. BUG if there is none. */
export function percpu_ref_put(ref: number, part: number): void {
  rcu_read_lock()
  if (__ref_is_percpu(ref)) add_part(part, -1)
  else {
    const left = (atomic_fetch_add(ref, -1) & COUNT_MASK) - 1
    BUG_ON(left < 0)
    if (left === 0) smp_wake(ref)
  }
  rcu_read_unlock()
}

/** Nobody gets a reference any more. */
export function percpu_ref_kill(ref: number): void {
  atomic_fetch_or(ref, PERCPU_REF_DEAD | PERCPU_COUNT_BIAS)
}

/**
 * Adds the parts of all CPUs to the word of a killed reference. A grace period after the kill
 * (percpu_ref_switch_to_atomic_rcu).
 */
export function percpu_ref_switch_to_atomic(ref: number, part: number): void {
  const nr_cpus = load(machine$nr_cpus)
  let sum = 0
  for (let cpu = 0; cpu < nr_cpus; cpu++) {
    const p = per_cpu_ptr(part, cpu)
    sum += READ_ONCE(p)
    WRITE_ONCE(p, 0)
  }
  atomic_fetch_add(ref, sum - PERCPU_COUNT_BIAS)
}

/** Waits until a killed reference is nobody's. */
export function percpu_ref_wait(ref: number): void {
  for (let held = atomic_load(ref); held !== PERCPU_REF_DEAD;) held = smp_cond_load(ref, held)
}

/** Makes a killed reference that is nobody's live again (percpu_ref_resurrect). */
export function percpu_ref_resurrect(ref: number): void {
  WRITE_ONCE(ref, 0)
}
