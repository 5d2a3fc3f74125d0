/**
 * The environment of a stepped image but for its steps, draws and turns: a CPU's own area, which no other CPU touches,
 * and what observers are told.
 */
import type { LockClasses } from '../lock_classes.ts'
import type { SteppedEnvironment } from '../../step/boot.ts'
import { KernelBug } from '../../step/bug.ts'
import type { Contexts } from './contexts.ts'
import { FENCE_MB, FENCE_RMB, FENCE_WMB, type Observer } from '../../step/observer.ts'
import type { UndoLog } from './undo_log.ts'

/** What the environment asks its machine. */
export interface EnvironmentMachine {
  readonly oracle: Int32Array
  readonly stat: Float64Array
  readonly steps: number
  readonly observers: readonly Observer[]
  readonly lockClasses: LockClasses
}

export function environmentOf(
  machine: EnvironmentMachine,
  contexts: Contexts,
  undo: UndoLog,
  percpu: number,
  percpuWords: number,
): Omit<SteppedEnvironment, 'S' | 'X' | 'arch_random_below' | 'observe_turn'> {
  const { memory } = undo
  const fence = (which: number): void => {
    for (const observer of machine.observers) observer.fence?.(contexts.current, which)
  }
  return {
    memory,
    oracle: machine.oracle,
    stat: machine.stat,
    clock: () => machine.steps,
    machine_bug: (kind, a, b) => {
      throw new KernelBug(kind, a, b)
    },
    this_cpu_read: (offset) => memory[contexts.cpuBase + offset],
    this_cpu_write: (offset, value) => undo.write(contexts.cpuBase + offset, value),
    this_cpu_add: (offset, value) =>
      undo.write(contexts.cpuBase + offset, memory[contexts.cpuBase + offset] + value),
    this_cpu_ptr: (offset) => contexts.cpuBase + offset,
    private_load: (p) => memory[p],
    private_store: (p, value) => undo.write(p, value),
    per_cpu_ptr: (offset, cpu) => percpu + cpu * percpuWords + offset,
    smp_processor_id: () => contexts.cpu,
    smp_mb: () => fence(FENCE_MB),
    smp_wmb: () => fence(FENCE_WMB),
    smp_rmb: () => fence(FENCE_RMB),
    check_panic: () => {},
    smp_wake: () => {},
    smp_wake_one: () => {},
    kick_cpu: () => {},
    observe_table_locked: (table, first, end, mode) => {
      for (const observer of machine.observers)
        observer.tableLocked?.(contexts.current, table, first, end, mode)
    },
    observe_table_unlocked: (table, first, end, mode) => {
      for (const observer of machine.observers)
        observer.tableUnlocked?.(contexts.current, table, first, end, mode)
    },
    observe_table_read_done: (ptep, orig) => {
      for (const observer of machine.observers) observer.tableReadDone?.(contexts.current, ptep, orig)
    },
    observe_object_alloc: (object) => {
      const { current, site } = contexts
      for (const observer of machine.observers) observer.objectAllocated?.(current, object, site[current])
    },
    observe_object_free: (object) => {
      const { current, site } = contexts
      for (const observer of machine.observers) observer.objectFreed?.(current, object, site[current])
    },
    observe_lock_init: (lock, lockClass) => {
      machine.lockClasses.set(lock, lockClass)
      for (const observer of machine.observers) observer.lockInit?.(contexts.current, lock, lockClass)
    },
    observe_lock_acquire: (lock, subclass, how) => {
      for (const observer of machine.observers) observer.lockAcquire?.(contexts.current, lock, subclass, how)
    },
    observe_lock_release: (lock) => {
      for (const observer of machine.observers) observer.lockRelease?.(contexts.current, lock)
    },
    observe_lock_wanted: () => {},
    observe_exception: () => {},
    observe_woken: () => {},
    observe_wakes: () => {},
    ndelay: () => {},
    ktime_get_ns: () => machine.steps,
    observe_contended: (lock) => contexts.isContended(lock),
  }
}
