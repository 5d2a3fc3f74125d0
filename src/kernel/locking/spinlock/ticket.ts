/**
 * Ticket spinlock (arch/x86/include/asm/spinlock.h, 2.6.25 to 4.1): first come, first served; every waiter watches one
 * word.
 *
 *   word 0  next   the ticket the next CPU draws
 *   word 1  owner  the ticket whose turn it is; free when equal to next
 *
 * All wait for the same word, but only the one whose turn it is can use the news: an unlock wakes that one alone, found
 * by the ticket it published, as paravirtual ticket locks did (arch/x86/kernel/kvm.c, kvm_unlock_kick, 3.12). Waking
 * all would cost a halt and a wake of every waiter at every unlock. The lock goes to its next owner even if that CPU is
 * not running: with more CPUs than cores the others wait behind it (a convoy).
 */
import { PARAVIRT_SPINLOCKS, STEPPED } from '#config'
import { atomic_fetch_add, atomic_load, atomic_store, cmpxchg } from '#atomic'
import { load, per_cpu_ptr, READ_ONCE, this_cpu_ptr, WRITE_ONCE } from '../../arch/access.ts'
import { machine$nr_cpus } from '../../arch/memory_map.ts'
import { percpu$parked_on, percpu$qnodes } from '../../arch/percpu.ts'
import type { Spinlock } from '../../arch/structs.ts'
import { kick_cpu, smp_cond_load } from '../../arch/wait.ts'
import { mcs_spinlock$ticket } from '../mcs_spinlock.ts'

export const SPINLOCK_WORDS = 2
/** Where waiting is the stepped machine's, nobody parks and nobody has to be found. */
const PARKS = STEPPED === 0 || PARAVIRT_SPINLOCKS === 1
const TICKET_OWNER = 1

export function arch_spin_lock_init(lock: Spinlock): void {
  WRITE_ONCE(lock, 0)
  WRITE_ONCE(lock + TICKET_OWNER, 0)
}

export function arch_spin_lock(lock: Spinlock): void {
  const ticket = atomic_fetch_add(lock, 1)
  const owner = READ_ONCE(lock + TICKET_OWNER)
  if (owner !== ticket) ticket_lock_slowpath(lock, ticket, owner)
}

function ticket_lock_slowpath(lock: Spinlock, ticket: number, seen: number): void {
  // Published before the wait: an unlock that misses it has stored the owner before the waiter's last look.
  if (PARKS) WRITE_ONCE(this_cpu_ptr(percpu$qnodes + mcs_spinlock$ticket), ticket)
  let owner = seen
  while (owner !== ticket) owner = smp_cond_load(lock + TICKET_OWNER, owner)
}

export function arch_spin_trylock(lock: Spinlock): boolean {
  // next equal to a value that owner had: owner never passes next, so it has that value still.
  const owner = READ_ONCE(lock + TICKET_OWNER)
  return cmpxchg(lock, owner, (owner + 1) | 0) === owner
}

export function arch_spin_unlock(lock: Spinlock): void {
  const owner = (READ_ONCE(lock + TICKET_OWNER) + 1) | 0
  atomic_store(lock + TICKET_OWNER, owner)
  if (PARKS && READ_ONCE(lock) !== owner) ticket_unlock_kick(lock, owner)
}

function ticket_unlock_kick(lock: Spinlock, owner: number): void {
  const nr_cpus = load(machine$nr_cpus)
  for (let cpu = 0; cpu < nr_cpus; cpu++) {
    if (atomic_load(per_cpu_ptr(percpu$parked_on, cpu)) !== lock + TICKET_OWNER) continue
    if (READ_ONCE(per_cpu_ptr(percpu$qnodes + mcs_spinlock$ticket, cpu)) === owner) kick_cpu(cpu)
  }
}

export function arch_spin_is_contended(lock: Spinlock): boolean {
  return ((READ_ONCE(lock) - READ_ONCE(lock + TICKET_OWNER)) | 0) > 1
}
