/**
 * Spinlocks (include/linux/spinlock.h, kernel/locking/spinlock.c, 6.1) over the chosen algorithm, #spinlock. Adds the
 * list of held locks and, with LOCK_STAT=y, the statistics. Left out: _bh forms; preemption, which kernel code here
 * never has.
 */
import { LOCK_STAT } from '#config'
import {
  arch_spin_is_contended,
  arch_spin_lock,
  arch_spin_lock_init,
  arch_spin_trylock,
  arch_spin_unlock,
} from '#spinlock'
import { local_irq_disable, local_irq_enable, local_irq_restore, local_irq_save } from '../arch/irq.ts'
import { LOCK_TRY, observe_lock_init, observe_lock_wanted } from '../arch/observe.ts'
import { spinlock$lockdep, type Spinlock } from '../arch/structs.ts'
import { lock_contended, lockdep_init_map } from './lock_stat.ts'
import { lock_acquire, lock_release } from './lockdep.ts'

/** Makes `lock` a free lock of class `lock_class` (a LOCK_CLASS_ constant of lock_class.ts). */
export function spin_lock_init(lock: Spinlock, lock_class: number): void {
  arch_spin_lock_init(lock)
  observe_lock_init(lock, lock_class)
  if (LOCK_STAT) lockdep_init_map(lock + spinlock$lockdep, lock_class)
}

export function spin_lock(lock: Spinlock): void {
  spin_lock_nested(lock, 0)
}

/** Takes `lock` while another lock of its class is held; statistics count the subclass apart. */
export function spin_lock_nested(lock: Spinlock, subclass: number): void {
  let begin = 0
  observe_lock_wanted(lock)
  if (LOCK_STAT) {
    if (!arch_spin_trylock(lock)) {
      begin = lock_contended(lock + spinlock$lockdep, subclass)
      arch_spin_lock(lock)
    }
  } else arch_spin_lock(lock)
  lock_acquire(lock, lock + spinlock$lockdep, subclass, begin, 0)
}

export function spin_trylock(lock: Spinlock): boolean {
  if (!arch_spin_trylock(lock)) return false
  lock_acquire(lock, lock + spinlock$lockdep, 0, 0, LOCK_TRY)
  return true
}

export function spin_unlock(lock: Spinlock): void {
  lock_release(lock)
  arch_spin_unlock(lock)
}

/**
 * Waits until whoever holds `lock` has let go of it: takes it and gives it back (as up to Linux 4.13). Interrupts may
 * take it, too.
 */
export function spin_unlock_wait(lock: Spinlock): void {
  const flags = local_irq_save()
  spin_lock(lock)
  spin_unlock(lock)
  local_irq_restore(flags)
}

/**
 * Turns interrupts off, which are on, and takes `lock`: an interrupt that takes it never comes while this CPU holds it.
 */
export function spin_lock_irq(lock: Spinlock): void {
  local_irq_disable()
  spin_lock_nested(lock, 0)
}

/** Lets go of `lock` and turns interrupts on. */
export function spin_unlock_irq(lock: Spinlock): void {
  spin_unlock(lock)
  local_irq_enable()
}

/** Takes `lock` with interrupts off; returns what they were, for spin_unlock_irqrestore. */
export function spin_lock_irqsave(lock: Spinlock): number {
  const flags = local_irq_save()
  spin_lock_nested(lock, 0)
  return flags
}

export function spin_unlock_irqrestore(lock: Spinlock, flags: number): void {
  spin_unlock(lock)
  local_irq_restore(flags)
}

/** Whether somebody waits for `lock`; asked by its holder. A hint. */
export function spin_is_contended(lock: Spinlock): boolean {
  return arch_spin_is_contended(lock)
}

/** Whether the holder of `lock` should let go for a while: as in a preemptible kernel, when somebody waits. */
export function spin_needbreak(lock: Spinlock): boolean {
  return arch_spin_is_contended(lock)
}

export { SINGLE_DEPTH_NESTING } from './lock_class.ts'
export { lock_is_held, lockdep_assert_held } from './lockdep.ts'
